"""A device tree to look around in: paths, phandles, interrupts, addresses and maps.

Bytes are read and written by `fdt`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ubtest.formats.device_node import DeviceNode, rows
from ubtest.formats.record import FormatError

_PCI_SPACE = (
    0x03 << 88
)  # phys.hi: configuration, I/O, 32-bit or 64-bit memory (IEEE 1275 PCI binding)
_PCI_ADDRESS = (1 << 64) - 1
_ALIASES = 16


@dataclass(frozen=True)
class Reservation:
    """Memory that the kernel must leave alone: an entry of the block in front of the tree."""

    address: int
    size: int


@dataclass(frozen=True)
class Reference:
    """One entry of a list of phandles, such as `iommus`.

    :param node: None when no node has this phandle; what follows in the list is lost then.
    """

    phandle: int
    node: DeviceNode | None
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class MapEntry:
    """One row of `iommu-map` or `msi-map` (devicetree bindings pci-iommu.txt, pci-msi.txt).

    :param node: None when no node has this phandle.
    """

    first: int
    phandle: int
    node: DeviceNode | None
    output: int
    length: int

    def translate(self, number: int) -> int | None:
        """What the row makes of a number; None when it is not the row's."""
        inside = self.first <= number < self.first + self.length
        return self.output + number - self.first if inside else None


@dataclass(frozen=True, eq=False)
class DeviceTree:
    """The whole tree.

    :param boot_cpu: physical number of the CPU that booted.
    """

    root: DeviceNode
    reservations: tuple[Reservation, ...] = ()
    boot_cpu: int = 0

    def at(self, path: str) -> DeviceNode | None:
        """The node of a path; its first part may be an alias, as in "serial0" or "pci0/nic"."""
        for _ in range(_ALIASES):
            if path.startswith("/"):
                break
            alias, _, below = path.partition("/")
            path = self.aliases.get(alias, "/ ") + (f"/{below}" if below else "")
        node: DeviceNode | None = self.root
        for name in filter(None, path.split("/")):
            node = node.nodes.get(name) if node else None
        return node

    @property
    def aliases(self) -> dict[str, str]:
        node = self.root.nodes.get("aliases", DeviceNode(""))
        return {name: node.string(name) or "/ " for name in node.properties}

    @property
    def chosen(self) -> DeviceNode | None:
        return self.root.nodes.get("chosen")

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The source's label of each path, from `__symbols__` (compiled with `dtc -@`)."""
        node = self.root.nodes.get("__symbols__", DeviceNode(""))
        return {node.string(label) or "": label for label in node.properties}

    @cached_property
    def phandles(self) -> Mapping[int, DeviceNode]:
        """Of two nodes with one phandle the first counts, as in the kernel."""
        found: dict[int, DeviceNode] = {}
        for node in self.root.walk():
            if node.phandle is not None:
                found.setdefault(node.phandle, node)
        return found

    def references(
        self, node: DeviceNode, name: str, cells_name: str, default: int | None = None
    ) -> tuple[Reference, ...]:
        """A list of phandles, each with as many cells as the node it names asks for.

        :param cells_name: the property that says how many, as `#iommu-cells`.
        :raises FormatError: the list ends early, or the node named does not say how many.
        """
        cells, at, found = node.cells(name), 0, list[Reference]()
        while at < len(cells):
            target = self.phandles.get(cells[at])
            if cells[at] == 0:  # an entry left empty on purpose
                found.append(Reference(0, None))
                at += 1
                continue
            if target is None:
                found.append(Reference(cells[at], None))
                break
            count = target.number(cells_name)
            count = default if count is None else count
            if count is None or at + 1 + count > len(cells):
                why = f"{target.path} has no {cells_name}" if count is None else "ends early"
                raise FormatError(f"{node.path}: {name}: {why}")
            found.append(Reference(cells[at], target, cells[at + 1 : at + 1 + count]))
            at += 1 + count
        return tuple(found)

    def mapped(self, node: DeviceNode, name: str) -> tuple[MapEntry, ...]:
        """The rows of `iommu-map` or `msi-map`: always four cells (drivers/of/base.c, of_map_id).

        :raises FormatError: a part of a row is left over.
        """
        return tuple(
            MapEntry(first, phandle, self.phandles.get(phandle), output, length)
            for first, phandle, output, length in rows(node, name, 1, 1, 1, 1)
        )

    def interrupts(self, node: DeviceNode) -> tuple[Reference, ...]:
        """Interrupts, each with its controller, from `interrupts-extended` or `interrupts`.

        :raises FormatError: no controller is named here or above, or an interrupt ends early.
        """
        if "interrupts-extended" in node.properties:
            return self.references(node, "interrupts-extended", "#interrupt-cells")
        if "interrupts" not in node.properties:
            return ()
        phandle = node.inherited("interrupt-parent", 0)
        controller = self.phandles.get(phandle)
        width = controller.number("#interrupt-cells") if controller else None
        if not width:
            raise FormatError(f"{node.path}: interrupts: no controller has phandle {phandle:#x}")
        cells = node.cells("interrupts")
        if len(cells) % width:
            raise FormatError(f"{node.path}: interrupts: {len(cells)} cells in steps of {width}")
        steps = range(0, len(cells), width)
        return tuple(Reference(phandle, controller, cells[at : at + width]) for at in steps)

    def address(self, node: DeviceNode, entry: int = 0) -> int | None:
        """Where the CPU sees one of the node's registers; None when there is none or no way up.

        :raises FormatError: a part of a `reg` or `ranges` entry is left over.
        """
        if entry >= len(node.reg):
            return None
        address: int | None = node.reg[entry][0]
        for bus in list(node.ancestry())[1:-1]:
            address = None if address is None else _up(bus, address)
        return address


def _up(bus: DeviceNode, address: int) -> int | None:
    """An address on this bus as its parent's bus has it (`ranges`; empty is one to one)."""
    if "ranges" not in bus.properties:
        return None
    if not bus.properties["ranges"]:
        return address
    above = bus.parent or bus
    child = bus.inherited("#address-cells", 1)
    widths = child, above.inherited("#address-cells", 1), bus.inherited("#size-cells", 1)
    for first, parent, size in rows(bus, "ranges", *widths):
        if child == 3 and (first ^ address) & _PCI_SPACE:
            continue
        offset = (address & _PCI_ADDRESS) - (first & _PCI_ADDRESS)
        if 0 <= offset < size:
            return parent + offset
    return None
