"""Flattened device trees: read as dtc reads them, and nothing hostile gets through."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import Reservation
from ubtest.formats.fdt import HEADER_SIZE, MAX_DEPTH, Node, cell, flatten, parse, text
from ubtest.formats.record import FormatError
from ubtest.run import run

NAMES = st.text("abc,@-#0", min_size=1, max_size=8)
TREES = st.recursive(
    st.dictionaries(NAMES, st.binary(max_size=9), max_size=4),
    lambda below: st.dictionaries(NAMES, st.binary(max_size=9) | below, max_size=4),
    max_leaves=12,
)
RESERVATIONS = st.lists(
    st.builds(Reservation, st.integers(0, 2**64 - 1), st.integers(1, 2**64 - 1)), max_size=3
)
GOOD = flatten({"name": text("it"), "a": {"b": {"c": cell(1)}}}, (Reservation(0x1000, 0x10),), 3)
HEADER = ("magic", "totalsize", "structure", "strings", "reservations", "version", "readable")
FIELD = {name: 4 * number for number, name in enumerate(HEADER)}
FIELD |= {"strings size": 32, "structure size": 36}


def mapping(node: DeviceNode) -> Node:
    return {**node.properties, **{name: mapping(below) for name, below in node.nodes.items()}}


def with_word(at: int, value: int) -> bytes:
    return GOOD[:at] + cell(value) + GOOD[at + 4 :]


@settings(deadline=None)
@given(TREES, RESERVATIONS, st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(tree: Node, reserved: list[Reservation], cpu: int) -> None:
    wire = flatten(tree, tuple(reserved), cpu)
    read = parse(wire + b"behind")
    assert mapping(read.root) == tree
    assert (read.reservations, read.boot_cpu) == (tuple(reserved), cpu)
    assert flatten(read.root, read.reservations, read.boot_cpu) == wire


def test_a_name_may_be_a_property_and_a_node() -> None:
    """As `interrupt-controller` is in many trees; a mapping cannot say it, a node can."""
    root = DeviceNode("", properties={"x": b"1"})
    root.nodes["x"] = DeviceNode("x", root)
    read = parse(flatten(root)).root
    assert (read.properties, list(read.nodes)) == ({"x": b"1"}, ["x"])


@pytest.mark.parametrize("version", [16, 17])
def test_dtc_and_we_read_the_same(version: int, tmp_path: Path) -> None:
    source, made = tmp_path / "t.dts", tmp_path / "t.dtb"
    source.write_text("""/dts-v1/; /memreserve/ 0x4000 0x2000; / {
        model = "a", "b"; empty;
        one: node@1 { reg = <1>; deep { bytes = [01 02 03]; to = <&one>; }; };
    };""")
    run(["dtc", "-q", "-V", str(version), "-b", "5", "-O", "dtb", "-o", made, source])
    tree = parse(made.read_bytes())
    assert (tree.reservations, tree.boot_cpu) == ((Reservation(0x4000, 0x2000),), 5)
    node = tree.root.nodes["node@1"]
    assert tree.root.properties == {"model": b"a\0b\0", "empty": b""}
    assert node.nodes["deep"].properties == {"bytes": b"\1\2\3", "to": node.properties["phandle"]}
    theirs = run(["dtc", "-q", "-I", "dtb", "-O", "dts", made]).text
    made.write_bytes(flatten(tree.root, tree.reservations))
    assert run(["dtc", "-q", "-I", "dtb", "-O", "dts", made]).text == theirs
    assert run(["fdtget", "-t", "bx", made, "/node@1/deep", "bytes"]).text.split() == list("123")


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_a_tree_cut_off_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        parse(GOOD[:length])


@settings(deadline=None)
@given(st.integers(0, len(GOOD) // 4 - 1), st.integers(0, 2**32 - 1) | st.integers(0, 200))
def test_no_word_breaks_the_reader(at: int, value: int) -> None:
    """It says no, or reads a tree that can be written."""
    try:
        tree = parse(with_word(4 * at, value))
    except FormatError:
        return
    flatten(tree.root, tree.reservations)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_structure_breaks_the_reader(structure: bytes) -> None:
    wire = bytearray(flatten({}))
    wire[HEADER_SIZE + 16 :] = structure
    struct.pack_into(">I", wire, FIELD["totalsize"], len(wire))
    struct.pack_into(">II", wire, FIELD["strings size"], 0, len(structure))
    try:
        parse(bytes(wire))
    except FormatError:
        return


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("magic", 0xEDFE0DD0, "magic"),
        ("totalsize", len(GOOD) + 1, "totalsize"),
        ("totalsize", 39, "totalsize"),
        ("version", 15, "not 16 or 17"),
        ("readable", 18, "not 16 or 17"),
        ("structure", 0, "a block ends"),
        ("structure", HEADER_SIZE, "a block ends"),
        ("structure", HEADER_SIZE + 33, "structure at"),
        ("strings", HEADER_SIZE, "a block ends"),
        ("strings", 0xFFFFFFF0, "a block ends"),
        ("structure size", 0xFFFFFFF0, "a block ends"),
        ("structure size", 12, "the structure has no end"),
        ("reservations", 8, "a block ends"),
        ("reservations", 0xFFFFFFF8, "have no end"),
        ("strings size", 2, "no name"),
    ],
)
def test_a_wrong_header_is_refused(field: str, value: int, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        parse(with_word(FIELD[field], value))


def block(*tokens: int | bytes) -> bytes:
    """A tree with this structure and the strings "a", "b"."""
    structure = b"".join(cell(each) if isinstance(each, int) else each for each in tokens)
    head = HEADER_SIZE + 16
    places = (head, head + len(structure), HEADER_SIZE, 17, 16, 0, 4, len(structure))
    total = head + len(structure) + 4
    return struct.pack(">10I", 0xD00DFEED, total, *places) + bytes(16) + structure + b"a\0b\0"


BEGIN, END, PROPERTY, NOP, STOP = 1, 2, 3, 4, 9


def test_nops_are_passed_over() -> None:
    tree = parse(block(NOP, BEGIN, 0, NOP, PROPERTY, 1, 2, b"x\0\0\0", NOP, END, NOP, STOP))
    assert tree.root.properties == {"b": b"x"}


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ((STOP,), "no root"),
        ((BEGIN, 0, END), "no end"),
        ((BEGIN, 0, END, END), "after the root"),
        ((BEGIN, 0, STOP), "inside of /"),
        ((BEGIN, 0, 7), "inside of /"),
        ((BEGIN, 0, END, BEGIN, 0, END, STOP), "after the root"),
        ((BEGIN, 0, PROPERTY, 0, 9, END, STOP), "no name"),
        ((BEGIN, 0, PROPERTY, 0, 1, END, STOP), "has no name"),
        ((BEGIN, 0, PROPERTY, 0xFFFFFFFF, 0, END, STOP), "over the end"),
        ((BEGIN, 0, PROPERTY, 0, 0, PROPERTY, 0, 0, END, STOP), "twice"),
        ((BEGIN, 0, BEGIN, b"n\0\0\0", END, PROPERTY, 0, 0, END, STOP), "after a node"),
        ((BEGIN, 0, BEGIN, 0, END, END, STOP), "one more node"),
        ((BEGIN, 0, BEGIN, b"a/b\0", END, END, STOP), "one more node"),
        ((BEGIN, 0, *2 * (BEGIN, b"n\0\0\0", END), END, STOP), "one more node"),
        ((BEGIN, 0, BEGIN, b"\x1b[m\0", END, END, STOP), "no name"),
        ((BEGIN, 0, *MAX_DEPTH * (BEGIN, b"n\0\0\0")), "deeper"),
    ],
)
def test_a_wrong_structure_is_refused(tokens: tuple[int | bytes, ...], why: str) -> None:
    with pytest.raises(FormatError, match=why):
        parse(block(*tokens))
