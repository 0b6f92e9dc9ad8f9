"""The IOMMU of a target: who is behind it, by the device tree and in truth, and its budget."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ubtest.formats import fdt
from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.record import FormatError
from ubtest.handoff.devices import Device
from ubtest.handoff.survey import Survey

ALL = 0xFFFFFFFF
_BANKS = re.compile(r"(\S+): \s*(\d+) context banks")
_ENTRIES = re.compile(r"(\S+): \s*stream matching with (\d+) register groups")


class Way(enum.Enum):
    """What the device tree says about a device's way to an IOMMU."""

    NO_TREE = "there is no device tree"
    NO_IOMMU = "the device tree has no IOMMU"
    NO_MAP = "nothing leads from the device to the IOMMU"
    BAD_PHANDLE = "what leads to the IOMMU names a node that is not there or is no IOMMU"
    NOT_COVERED = "the device's ID is not in iommu-map"
    DISABLED = "the IOMMU is disabled"
    OPEN = "the device tree leads to an IOMMU that is enabled"


@dataclass(frozen=True)
class Route:
    """A device's way to its IOMMU.

    :param node: the node that has or should have the property: its own, or of its host bridge.
    :param iommu: path of the IOMMU's node, where one is reached.
    :param stream: the stream ID that the device tree gives.
    :param folded: `iommu-map-mask` drops bits of the device's ID.
    """

    way: Way
    node: str = ""
    iommu: str = ""
    stream: int | None = None
    folded: bool = False


@dataclass(frozen=True)
class Group:
    """Devices that the IOMMU cannot keep apart.

    :param kind: of its default domain: "DMA", "DMA-FQ" or "identity".
    """

    number: int
    kind: str
    devices: tuple[str, ...]

    @property
    def translated(self) -> bool:
        """Whether it has a domain of its own, which takes a context bank of an SMMU before v3."""
        return self.kind.startswith("DMA")


@dataclass(frozen=True)
class Iommu:
    """One IOMMU that a driver probed.

    :param device: the platform device: "9050000.smmuv3".
    :param banks: context banks; None where there is no such limit (SMMUv3).
    :param taken: banks in use, also by what is no group (6.1 keeps one for a container that was);
        None where that cannot be told.
    :param entries: stream-map entries; None where there is no such limit.
    :param masters: devices behind it.
    """

    device: str
    node: str
    banks: int | None = None
    taken: int | None = None
    entries: int | None = None
    masters: tuple[str, ...] = ()

    def users(self, groups: Mapping[int, Group]) -> tuple[Group, ...]:
        """The groups that each hold a context bank."""
        return tuple(
            each
            for each in groups.values()
            if each.translated and set(each.devices) & set(self.masters)
        )


def tree_of(survey: Survey) -> DeviceTree | None:
    """The device tree that the firmware handed over; None for a target without, or a broken one."""
    try:
        return fdt.parse(survey.files["fdt"])
    except (KeyError, FormatError):
        return None


def route(tree: DeviceTree | None, device: Device) -> Route:
    """How the kernel would look for a device's IOMMU (drivers/iommu/of_iommu.c)."""
    node = tree.at(device.node) if tree and device.node else None
    if tree is None or node is None:
        return Route(Way.NO_TREE)
    iommus = [each for each in tree.root.walk() if "#iommu-cells" in each.properties]
    if not iommus:
        return Route(Way.NO_IOMMU, node.path)
    try:
        found = _mapped(tree, node, device) if device.bus == "pci" else _listed(tree, node)
    except FormatError:
        return Route(Way.BAD_PHANDLE, node.path)
    if found.way is Way.NO_MAP and not any(each.reachable for each in iommus):
        return Route(Way.DISABLED, node.path, iommus[0].path)
    return found


def _mapped(tree: DeviceTree, bridge: DeviceNode, device: Device) -> Route:
    entries = tree.mapped(bridge, "iommu-map")
    if not entries:
        return Route(Way.NO_MAP, bridge.path)
    mask = bridge.number("iommu-map-mask")
    masked = device.requester & (ALL if mask is None else mask)
    folded = masked != device.requester
    for entry in entries:
        stream = entry.translate(masked)
        if stream is not None:
            return _reached(bridge, entry.node, stream, folded)
    return Route(Way.NOT_COVERED, bridge.path, folded=folded)


def _listed(tree: DeviceTree, node: DeviceNode) -> Route:
    listed = tree.references(node, "iommus", "#iommu-cells")
    if not listed:
        return Route(Way.NO_MAP, node.path)
    return _reached(node, listed[0].node, (*listed[0].cells, 0)[0], False)


def _reached(node: DeviceNode, iommu: DeviceNode | None, stream: int, folded: bool) -> Route:
    if iommu is None or "#iommu-cells" not in iommu.properties:
        return Route(Way.BAD_PHANDLE, node.path, stream=stream, folded=folded)
    way = Way.OPEN if iommu.reachable else Way.DISABLED
    return Route(way, node.path, iommu.path, stream, folded)


def groups_of(survey: Survey) -> Mapping[int, Group]:
    kinds: dict[int, str] = {}
    members: dict[int, list[str]] = {}
    for line in survey.lines("groups"):
        if link := re.fullmatch(r"\./(\d+)/devices/(\S+)", line):
            members.setdefault(int(link[1]), []).append(link[2])
        elif kind := re.fullmatch(r"(\d+)/type:(\S+)", line):
            kinds[int(kind[1])] = kind[2]
    return {
        number: Group(number, kinds.get(number, ""), tuple(sorted(members[number])))
        for number in sorted(members)
    }


def iommus_of(survey: Survey, known: Mapping[str, Device]) -> tuple[Iommu, ...]:
    """The IOMMUs that a driver probed, from /sys/class/iommu and what the driver printed."""
    text = survey.text("dmesg")
    banks = {name: int(count) for name, count in _BANKS.findall(text)}
    entries = {name: int(count) for name, count in _ENTRIES.findall(text)}
    # The driver asks for a bank's interrupt when it takes the bank; several may share a line
    faults = survey.text("interrupts").count("arm-smmu-context-fault")
    masters: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    listing = ""
    for line in survey.lines("iommus"):
        if line.startswith("/sys/class/iommu"):
            listing = line.removeprefix("/sys/class/iommu").strip("/:").partition("/")[0]
        elif " -> " in line:
            name, _, target = line.rpartition(" -> ")
            if listing:
                masters.setdefault(listing, []).append(name.split()[-1])
            else:
                places[name.split()[-1]] = target.split("/iommu/")[0].rpartition("/")[2]
    return tuple(
        Iommu(
            device=place,
            node=known[place].node if place in known else "",
            banks=banks.get(place),
            taken=faults if list(banks) == [place] else None,
            entries=entries.get(place),
            masters=tuple(sorted(masters.get(name, ()))),
        )
        for name, place in sorted(places.items())
    )
