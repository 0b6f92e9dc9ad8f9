"""The base of all formats."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from ubtest.formats.record import S16, U16, U32, FormatError, Nested, Raw, Record


@dataclass(frozen=True)
class Inner(Record):
    spec_name = "INNER"
    zone: Annotated[int, S16("Zone")] = -1


@dataclass(frozen=True)
class Outer(Record):
    spec_name = "OUTER"
    size_field: Annotated[int, U32("Size")]
    inner: Annotated[Inner, Nested("Inner", Inner)]
    tag: Annotated[bytes, Raw("Tag", 3)]
    count: Annotated[int, U16("Count")] = 2


GOOD = Outer(0x01020304, Inner(-2), b"abc")
WIRE = bytes.fromhex("04030201 feff 616263 0200")


def test_fields_are_packed_little_endian_in_order_without_padding() -> None:
    assert GOOD.pack() == WIRE
    assert Outer.size() == len(WIRE)


def test_parse_reads_at_an_offset_and_leaves_what_follows() -> None:
    assert Outer.parse(b"--" + WIRE + b"more", 2) == GOOD


def test_short_data_name_structure_field_and_missing_bytes() -> None:
    with pytest.raises(FormatError, match=r"OUTER at 0x0: Tag needs 3 bytes at 0x6, 1 are missing"):
        Outer.parse(WIRE[:8])


def test_a_value_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(FormatError, match=r"OUTER.Count: 0x10000 does not fit into 2 unsigned"):
        Outer(0, Inner(), b"abc", 0x10000).pack()
    with pytest.raises(FormatError, match=r"INNER.Zone: .* signed"):
        Outer(0, Inner(0x8000), b"abc").pack()
    with pytest.raises(FormatError, match=r"OUTER.Tag: has 2 bytes, must have 3"):
        Outer(0, Inner(), b"ab").pack()


def test_dump_shows_offset_name_and_value_of_each_field() -> None:
    assert list(GOOD.dump(0x10)) == [
        "OUTER",
        "  0x0010  Size                     16909060 (0x1020304)",
        "  0x0014  Inner                    Inner(zone=-2)",
        "  0x0016  Tag                      61 62 63",
        "  0x0019  Count                    2 (0x2)",
    ]
