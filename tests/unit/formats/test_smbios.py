"""SMBIOS: entry points and tables that follow DSP0134, and those that do not."""

import struct

import pytest

from ubtest.formats.record import FormatError
from ubtest.formats.smbios import (
    EntryPoint21,
    EntryPoint30,
    parse_entry_point,
    parse_structures,
    system,
)


def with_sum(data: bytes, at: int, start: int = 0) -> bytes:
    """The bytes with the checksum at an offset made right."""
    total = sum(data[start:]) - data[at]
    return data[:at] + bytes([-total & 0xFF]) + data[at + 1 :]


def structure(kind: int, handle: int, body: bytes, *strings: str) -> bytes:
    text = b"".join(each.encode() + b"\0" for each in strings) or b"\0"
    return struct.pack("<BBH", kind, 4 + len(body), handle) + body + text + b"\0"


NEW = with_sum(EntryPoint30(b"_SM3_", 0, 24, 3, 0, 0, 1, 0, 266, 0x7E682018).pack(), 5)
OLD = with_sum(
    with_sum(
        EntryPoint21(b"_SM_", 0, 31, 3, 0, 57, 0, bytes(5), b"_DMI_", 0, 248, 0, 7, 0).pack(),
        0x15,
        0x10,
    ),
    4,
)
TABLE = structure(1, 0x100, bytes([1, 2, 3, 0]) + bytes(19), "QEMU", "Machine", "7.2")
END = structure(127, 0x7F00, b"")


@pytest.mark.parametrize("data", [NEW, OLD], ids=["3.0", "2.1"])
def test_entry_points(data):
    point = parse_entry_point(data)
    assert (point.major, point.minor) == (3, 0)
    assert point.pack() == data


@pytest.mark.parametrize("data", [NEW, OLD], ids=["3.0", "2.1"])
def test_each_wrong_byte_of_an_entry_point_is_noticed(data):
    for at in range(len(data)):
        with pytest.raises(FormatError):
            parse_entry_point(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_the_intermediate_checksum_counts_of_its_own():
    wrong = OLD[:0x15] + bytes([OLD[0x15] ^ 1]) + OLD[0x16:]
    with pytest.raises(FormatError, match="intermediate"):
        parse_entry_point(with_sum(wrong, 4))


def test_structures_and_what_the_board_is():
    found = parse_structures(TABLE + END)
    assert [each.kind for each in found] == [1, 127]
    assert system(found) == {
        "Manufacturer": "QEMU",
        "Product Name": "Machine",
        "Version": "7.2",
        "Serial Number": "",
    }


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (TABLE, "header"),
        (TABLE + END[:-2], "no end"),
        (TABLE + TABLE + END, "twice"),
        (b"\1\3\0\0\0\0" + END, "3 bytes"),
        (b"", "header"),
    ],
    ids=["no end of table", "cut off", "a handle twice", "shorter than its header", "nothing"],
)
def test_broken_tables(table, why):
    with pytest.raises(FormatError, match=why):
        parse_structures(table)


def test_a_string_that_is_not_there():
    with pytest.raises(FormatError, match="string 3 of 2"):
        system(parse_structures(TABLE.replace(b"7.2\0", b"") + END))


def test_no_system_information():
    with pytest.raises(FormatError, match="type 1"):
        system(parse_structures(END))
