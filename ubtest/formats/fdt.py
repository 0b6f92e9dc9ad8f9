"""A flattened device tree, version 17 (devicetree specification 0.4, chapter 5): written only."""

import struct
from collections.abc import Mapping
from typing import TypeAlias

Node: TypeAlias = "Mapping[str, Node | bytes]"  # name -> a node, or the value of a property

MAGIC = 0xD00DFEED
HEADER_SIZE = 40
_BEGIN, _END, _PROPERTY, _STOP = (struct.pack(">I", token) for token in (1, 2, 3, 9))


def flatten(root: Node) -> bytes:
    """The tree as one block: header, no memory reservations, structure, strings.

    Properties come before nodes, as they must; else the order is the mapping's.
    """
    strings: dict[str, int] = {}
    tree = _node("", root, strings) + _STOP
    names = b"".join(text(name) for name in strings)
    reserved = bytes(16)
    at = HEADER_SIZE + len(reserved)
    total = at + len(tree) + len(names)
    header = (MAGIC, total, at, at + len(tree), HEADER_SIZE, 17, 16, 0, len(names), len(tree))
    return struct.pack(">10I", *header) + reserved + tree + names


def _node(name: str, node: Node, strings: dict[str, int]) -> bytes:
    parts = [_BEGIN, _padded(text(name))]
    for key, value in node.items():
        if isinstance(value, bytes):
            at = strings.setdefault(key, sum(len(each) + 1 for each in strings))
            parts += [_PROPERTY, struct.pack(">II", len(value), at), _padded(value)]
    for key, below in node.items():
        if not isinstance(below, bytes):
            parts.append(_node(key, below, strings))
    return b"".join((*parts, _END))


def text(said: str) -> bytes:
    """A string as a property holds it."""
    return said.encode() + b"\0"


def cell(value: int) -> bytes:
    """A number of 32 bits as a property holds it."""
    return struct.pack(">I", value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
