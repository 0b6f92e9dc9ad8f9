"""A flattened device tree: bytes to nodes and back (devicetree specification 0.4, chapter 5).

Versions 16 and 17 are read: all that dtc, U-Boot, QEMU and the kernel write. Written is 17.
"""

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import TypeAlias

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree, Reservation
from ubtest.formats.record import FormatError

Node: TypeAlias = "Mapping[str, Node | bytes]"  # name -> a node, or the value of a property
AnyNode: TypeAlias = "Node | DeviceNode"

MAGIC = 0xD00DFEED
HEADER_SIZE = 40
MAX_DEPTH = 64  # of the kernel: drivers/of/fdt.c, FDT_MAX_DEPTH
MAX_NAME = 256
_BEGIN, _END, _PROPERTY, _NOP, _STOP = 1, 2, 3, 4, 9


def flatten(root: AnyNode, reservations: tuple[Reservation, ...] = (), boot_cpu: int = 0) -> bytes:
    """The tree as one block: header, memory reservations, structure, strings.

    Properties come before nodes, as they must; else the order is the mapping's.
    """
    strings: dict[str, int] = {}
    tree = _node("", root, strings) + cell(_STOP)
    names = b"".join(text(name) for name in strings)
    reserved = b"".join(struct.pack(">QQ", each.address, each.size) for each in reservations)
    reserved += bytes(16)
    at = HEADER_SIZE + len(reserved)
    total = at + len(tree) + len(names)
    header = (
        MAGIC,
        total,
        at,
        at + len(tree),
        HEADER_SIZE,
        17,
        16,
        boot_cpu,
        len(names),
        len(tree),
    )
    return struct.pack(">10I", *header) + reserved + tree + names


def _node(name: str, node: AnyNode, strings: dict[str, int]) -> bytes:
    parts = [cell(_BEGIN), _padded(text(name))]
    properties, nodes = _apart(node)
    for key, value in properties.items():
        if key not in strings:
            strings[key] = sum(len(each) + 1 for each in strings)
        parts += [struct.pack(">III", _PROPERTY, len(value), strings[key]), _padded(value)]
    parts += [_node(key, below, strings) for key, below in nodes.items()]
    return b"".join((*parts, cell(_END)))


def _apart(node: AnyNode) -> tuple[Mapping[str, bytes], Mapping[str, AnyNode]]:
    if isinstance(node, DeviceNode):
        return node.properties, node.nodes
    properties = {key: value for key, value in node.items() if isinstance(value, bytes)}
    nodes = {key: value for key, value in node.items() if not isinstance(value, bytes)}
    return properties, nodes


def text(said: str) -> bytes:
    """A string as a property holds it."""
    return said.encode() + b"\0"


def cell(value: int) -> bytes:
    """A number of 32 bits as a property holds it."""
    return struct.pack(">I", value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def parse(data: bytes) -> DeviceTree:
    """The tree of a block; what follows its `totalsize` is not looked at.

    :raises FormatError: no device tree, cut off, blocks that overlap, or a structure that ends
        early or holds what must not be there.
    """
    if len(data) < HEADER_SIZE:
        raise FormatError(f"device tree: {len(data)} bytes are less than a header")
    words = struct.unpack_from(">10I", data)
    magic, total, tree, strings, reserved, version, oldest, boot_cpu, strings_size, size = words
    if magic != MAGIC:
        raise FormatError(f"device tree: magic is {magic:#x}, must be {MAGIC:#x}")
    if version < 16 or oldest > 17:
        raise FormatError(f"device tree: version {version}, readers back to {oldest}: not 16 or 17")
    if not HEADER_SIZE <= total <= len(data):
        raise FormatError(f"device tree: totalsize is {total}, there are {len(data)} bytes")
    if tree % 4 or reserved % 8:
        raise FormatError(f"device tree: structure at {tree:#x}, reservations at {reserved:#x}")
    reservations, reserved_end = _reservations(data, reserved, total)
    header_end, limit = HEADER_SIZE, tree + size
    if version == 16:  # does not say how long the structure is
        header_end -= 4
        limit = min((at for at in (reserved, strings) if at > tree), default=total)
    blocks = (reserved, reserved_end), (tree, limit), (strings, strings + strings_size)
    _check_places((0, header_end), *blocks, (total, total))
    root = _Structure(data[:limit], tree, data[strings : strings + strings_size]).root()
    return DeviceTree(root, reservations, boot_cpu)


def _reservations(data: bytes, at: int, total: int) -> tuple[tuple[Reservation, ...], int]:
    """Up to the entry that is all zero, and where the block ends."""
    found = list[Reservation]()
    while at + 16 <= total:
        entry = Reservation(*struct.unpack_from(">QQ", data, at))
        at += 16
        if entry == Reservation(0, 0):
            return tuple(found), at
        found.append(entry)
    raise FormatError("device tree: the memory reservations have no end")


def _check_places(*blocks: tuple[int, int]) -> None:
    """That none lies over another or reaches behind the last, which is the end of the whole."""
    for (_, end), (start, _) in pairwise((*sorted(blocks), blocks[-1])):
        if start < end:
            raise FormatError(f"device tree: a block ends at {end:#x}, the next is at {start:#x}")


class _Structure:
    """Reads the structure block token by token; `at` is the next one."""

    def __init__(self, data: bytes, at: int, strings: bytes) -> None:
        self._data = data
        self.at = at
        self._strings = strings
        self._known: dict[int, str] = {}

    def root(self) -> DeviceNode:
        """The only node at the top, to the end of the block."""
        if self._token() != _BEGIN:
            raise self._wrong("there is no root node")
        root = node = self._begin(None)
        depth = 1
        while depth:
            token = self._token()
            if token == _PROPERTY:
                self._property(node)
            elif token == _BEGIN:
                if depth == MAX_DEPTH:
                    raise self._wrong(f"nodes are deeper than {MAX_DEPTH}")
                node, depth = self._begin(node), depth + 1
            elif token == _END:
                node, depth = node.parent or root, depth - 1
            else:
                raise self._wrong(f"token {token:#x} inside of {node.path}")
        if (token := self._token()) != _STOP:
            raise self._wrong(f"token {token:#x} after the root node")
        return root

    def _begin(self, parent: DeviceNode | None) -> DeviceNode:
        name, end = _name(self._data, self.at)
        self.at = end + -end % 4
        if parent is None:
            return DeviceNode(name)
        if not name or "/" in name or name in parent.nodes:
            raise self._wrong(f"{parent.path}: {name!r} is no name for one more node")
        node = parent.nodes[name] = DeviceNode(name, parent)
        return node

    def _property(self, node: DeviceNode) -> None:
        size, where = self._word(), self._word()
        if where not in self._known:
            self._known[where], _ = _name(self._strings, where)
        name, end = self._known[where], self.at + size
        if not name or name in node.properties or node.nodes:
            why = "comes after a node" if node.nodes else "is there twice or has no name"
            raise self._wrong(f"{node.path}: property {name!r} {why}")
        if end > len(self._data):
            raise self._wrong(f"{node.path}: {name}: {size} bytes reach over the end")
        node.properties[name] = self._data[self.at : end]
        self.at = end + -end % 4

    def _token(self) -> int:
        while (token := self._word()) == _NOP:
            pass
        return token

    def _word(self) -> int:
        if self.at + 4 > len(self._data):
            raise self._wrong("the structure has no end")
        (word,) = struct.unpack_from(">I", self._data, self.at)
        self.at += 4
        return int(word)

    def _wrong(self, what: str) -> FormatError:
        return FormatError(f"device tree: offset {self.at:#x}: {what}")


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The printable text at an offset, and the offset behind its NUL."""
    end = data.find(b"\0", at, at + MAX_NAME)
    raw = data[at:end]
    if end < 0 or not all(0x20 < byte < 0x7F for byte in raw):
        raise FormatError(f"device tree: offset {at:#x} of its block is no name")
    return raw.decode("ascii"), end + 1
