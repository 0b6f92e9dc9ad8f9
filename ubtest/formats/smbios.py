"""SMBIOS tables as the kernel shows them: entry point and structures (DMTF DSP0134 3.7)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.record import U8, U16, U32, U64, FormatError, Raw, Record, take

END_OF_TABLE = 127
SYSTEM = 1
STRINGS_OF_SYSTEM = ("Manufacturer", "Product Name", "Version", "Serial Number")


@dataclass(frozen=True)
class EntryPoint21(Record):
    """The 32-bit entry point, section 5.2.1."""

    spec_name = "SMBIOS 2.1 entry point"

    anchor: Annotated[bytes, Raw("Anchor String", 4)]
    checksum: Annotated[int, U8("Checksum")]
    length: Annotated[int, U8("Length")]
    major: Annotated[int, U8("Major Version")]
    minor: Annotated[int, U8("Minor Version")]
    largest: Annotated[int, U16("Maximum Structure Size")]
    revision: Annotated[int, U8("Entry Point Revision")]
    formatted: Annotated[bytes, Raw("Formatted Area", 5)]
    middle: Annotated[bytes, Raw("Intermediate Anchor", 5)]
    middle_checksum: Annotated[int, U8("Intermediate Checksum")]
    table_size: Annotated[int, U16("Structure Table Length")]
    table: Annotated[int, U32("Structure Table Address")]
    structures: Annotated[int, U16("Number of Structures")]
    bcd: Annotated[int, U8("BCD Revision")]


@dataclass(frozen=True)
class EntryPoint30(Record):
    """The 64-bit entry point, section 5.2.2.

    :param table_size: the largest size of the table.
    """

    spec_name = "SMBIOS 3.0 entry point"

    anchor: Annotated[bytes, Raw("Anchor String", 5)]
    checksum: Annotated[int, U8("Checksum")]
    length: Annotated[int, U8("Length")]
    major: Annotated[int, U8("Major Version")]
    minor: Annotated[int, U8("Minor Version")]
    docrev: Annotated[int, U8("Docrev")]
    revision: Annotated[int, U8("Entry Point Revision")]
    reserved: Annotated[int, U8("Reserved")]
    table_size: Annotated[int, U32("Structure Table Maximum Size")]
    table: Annotated[int, U64("Structure Table Address")]


EntryPoint = EntryPoint21 | EntryPoint30


def parse_entry_point(data: bytes) -> EntryPoint:
    """The entry point, whose checksums and length are right.

    :raises FormatError: they are not, or it is none.
    """
    if data.startswith(b"_SM3_"):
        _check_sum(data, 0, EntryPoint30.parse(data).length, "the entry point")
        return EntryPoint30.parse(data)
    if not data.startswith(b"_SM_"):
        raise FormatError(f"SMBIOS: {data[:5]!r} is no anchor")
    point = EntryPoint21.parse(data)
    _check_sum(data, 0, point.length, "the entry point")
    _check_sum(data, 0x10, 0xF, "the intermediate part")
    if point.middle != b"_DMI_":
        raise FormatError(f"SMBIOS: {point.middle!r} is no intermediate anchor")
    return point


def _check_sum(data: bytes, start: int, size: int, what: str) -> None:
    total = sum(take(data, start, size, f"SMBIOS: {what}")) & 0xFF
    if total:
        raise FormatError(f"SMBIOS: the bytes of {what} add up to {total:#x}, must to 0")


@dataclass(frozen=True)
class Structure:
    """One structure, section 6.1.

    :param data: the formatted area, with its four bytes of header.
    """

    kind: int
    handle: int
    data: bytes
    strings: tuple[str, ...]

    def string(self, offset: int) -> str:
        """The string whose number is at an offset; empty where there is none.

        :raises FormatError: there are not so many.
        """
        number = self.data[offset] if offset < len(self.data) else 0
        if number > len(self.strings):
            raise FormatError(
                f"SMBIOS: structure {self.handle:#06x} names string {number} of {len(self.strings)}"
            )
        return self.strings[number - 1] if number else ""


def parse_structures(data: bytes) -> tuple[Structure, ...]:
    """The table, up to and with its end-of-table structure.

    :raises FormatError: a structure is cut off, a handle is there twice, or there is no end.
    """
    found: list[Structure] = []
    at = 0
    while not found or found[-1].kind != END_OF_TABLE:
        head = take(data, at, 4, "SMBIOS: structure header")
        if head[1] < 4:
            raise FormatError(f"SMBIOS: the structure at {at:#x} has {head[1]} bytes")
        body = take(data, at, head[1], "SMBIOS: structure")
        at += head[1]
        end = data.find(b"\0\0", at)
        if end < 0:
            raise FormatError(f"SMBIOS: the strings at {at:#x} have no end")
        raw = data[at:end].split(b"\0") if end > at else []
        strings = tuple(each.decode("ascii", "backslashreplace") for each in raw)
        found.append(Structure(head[0], int.from_bytes(head[2:4], "little"), body, strings))
        at = end + 2
    handles = [each.handle for each in found]
    if twice := {handle for handle in handles if handles.count(handle) > 1}:
        raise FormatError(f"SMBIOS: handle {min(twice):#06x} is there twice")
    return tuple(found)


def system(structures: tuple[Structure, ...]) -> dict[str, str]:
    """What type 1 says of the board: manufacturer, product, version, serial number.

    :raises FormatError: there is no such structure.
    """
    for each in structures:
        if each.kind == SYSTEM:
            return {name: each.string(4 + index) for index, name in enumerate(STRINGS_OF_SYSTEM)}
    raise FormatError("SMBIOS: there is no System Information (type 1)")
