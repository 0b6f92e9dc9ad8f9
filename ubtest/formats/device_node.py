"""One node of a device tree, and its properties as the numbers and strings they stand for.

Follows the kernel where it is milder than the specification (drivers/of/base.c, address.c), since
what counts is what the kernel makes of a tree.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ubtest.formats.record import FormatError


@dataclass(frozen=True, eq=False)
class DeviceNode:
    """One node. Properties and nodes are in the tree's order; a name may be both.

    :param name: with its unit address: "pcie@10000000"; the root's is empty.
    """

    name: str
    parent: "DeviceNode | None" = field(default=None, repr=False)
    properties: dict[str, bytes] = field(default_factory=dict, repr=False)
    nodes: dict[str, "DeviceNode"] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> str:
        names = [each.name for each in self.ancestry()][-2::-1]
        return "/" + "/".join(names)

    def ancestry(self) -> "Iterator[DeviceNode]":
        """This node, its parent, and so on up to the root."""
        node: DeviceNode | None = self
        while node is not None:
            yield node
            node = node.parent

    def walk(self) -> "Iterator[DeviceNode]":
        """This node and all below it, in the tree's order."""
        yield self
        for node in self.nodes.values():
            yield from node.walk()

    def cells(self, name: str) -> tuple[int, ...]:
        """A property as numbers of 32 bits; empty when it is not there.

        :raises FormatError: its length is no multiple of four.
        """
        value = self.properties.get(name, b"")
        if len(value) % 4:
            raise FormatError(f"{self.path}: {name} has {len(value)} bytes: no whole cells")
        return struct.unpack(f">{len(value) // 4}I", value)

    def number(self, name: str) -> int | None:
        """The first cell of a property; None when there is none."""
        cells = self.cells(name)
        return cells[0] if cells else None

    def strings(self, name: str) -> tuple[str, ...]:
        """A property as the strings it lists; bytes that are no text are escaped."""
        value = self.properties.get(name, b"")
        return tuple(each.decode("ascii", "backslashreplace") for each in value.split(b"\0")[:-1])

    def string(self, name: str) -> str | None:
        """The first string of a property; None when there is none."""
        return next(iter(self.strings(name)), None)

    @property
    def compatible(self) -> tuple[str, ...]:
        return self.strings("compatible")

    @property
    def phandle(self) -> int | None:
        number = self.number("phandle")
        return self.number("linux,phandle") if number is None else number

    @property
    def enabled(self) -> bool:
        """Whether `status` lets a driver take it (drivers/of/base.c, of_device_is_available)."""
        return "status" not in self.properties or self.string("status") in ("okay", "ok")

    @property
    def reachable(self) -> bool:
        """Whether it and every node above are enabled: below a disabled bus nothing is made."""
        return all(each.enabled for each in self.ancestry())

    def inherited(self, name: str, default: int) -> int:
        """A number of this node or of the nearest one above that has it.

        The specification inherits no `#address-cells`, the kernel does (of_bus_n_addr_cells).
        """
        numbers = (each.number(name) for each in self.ancestry())
        return next((number for number in numbers if number is not None), default)

    @property
    def reg(self) -> tuple[tuple[int, int], ...]:
        """Addresses on the parent's bus, each with its size in bytes.

        :raises FormatError: a part of an entry is left over.
        """
        bus = self.parent or self
        widths = bus.inherited("#address-cells", 1), bus.inherited("#size-cells", 1)
        entries = tuple(rows(self, "reg", *widths))
        return tuple((address, size) for address, size in entries)


def rows(node: DeviceNode, name: str, *widths: int) -> Iterator[tuple[int, ...]]:
    """A property as rows of numbers, each number as many cells wide as asked for.

    :raises FormatError: a part of a row is left over.
    """
    value, width = node.properties.get(name, b""), 4 * sum(widths)
    if value and (not width or len(value) % width):
        raise FormatError(f"{node.path}: {name} has {len(value)} bytes in rows of {width}")
    for start in range(0, len(value), width or 1):
        row, at = list[int](), start
        for cells in widths:
            row.append(int.from_bytes(value[at : at + 4 * cells], "big"))
            at += 4 * cells
        yield tuple(row)
