"""PCI slots that a mask makes one: their functions get one stream ID."""

from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.formats.device_tree import DeviceTree
from ubtest.handoff.prediction import pci
from ubtest.handoff.prediction.pci_host import PciHost

_SLOTS = 32


@dataclass(frozen=True)
class Folding:
    """Slots of one bus whose function 0 has the same stream ID after `iommu-map-mask`."""

    host: str
    bus: int
    stream: int
    slots: tuple[int, ...]


def foldings(tree: DeviceTree, host: PciHost) -> Iterator[Folding]:
    """For each bus that a row of the map begins on."""
    rows, mask = pci.rows_of(tree, host.node), pci.mask_of(host.node)
    for bus in sorted({row.first >> 8 for row in rows}):
        streams = dict[int, list[int]]()
        for slot in range(_SLOTS):
            number = (bus << 8 | slot << 3) & mask
            found = (row.translate(number) for row in rows)
            stream = next((each for each in found if each is not None), None)
            if stream is not None:
                streams.setdefault(stream, []).append(slot)
        for stream, slots in streams.items():
            if len(slots) > 1:
                yield Folding(host.node.path, bus, stream, tuple(slots))
