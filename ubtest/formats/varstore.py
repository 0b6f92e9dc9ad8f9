"""ubootefi.var: the file on the ESP in which U-Boot keeps its non-volatile variables
(include/efi_variable.h, lib/efi_loader/efi_var_file.c)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from zlib import crc32

from ubtest.formats.guid import Guid, GuidWire
from ubtest.formats.record import U32, U64, FormatError, Record, take

MAGIC = int.from_bytes(b"UbEfiVa\x01", "little")
ALIGNMENT = 8

NON_VOLATILE = 0x01
BOOTSERVICE_ACCESS = 0x02
RUNTIME_ACCESS = 0x04
TIME_BASED_AUTHENTICATED = 0x20


@dataclass(frozen=True)
class VariableFileHeader(Record):
    """How the file starts (`struct efi_var_file`).

    :param reserved: U-Boot refuses a file in which it is not zero.
    :param length: bytes of the whole file.
    :param crc32: over everything behind this header.
    """

    spec_name = "efi_var_file"

    reserved: Annotated[int, U64("reserved")]
    magic: Annotated[int, U64("magic")]
    length: Annotated[int, U32("length")]
    crc32: Annotated[int, U32("crc32")]


@dataclass(frozen=True)
class VariableHeader(Record):
    """How an entry starts (`struct efi_var_entry`); name and data follow.

    :param length: bytes of the data alone, although the comment in U-Boot's header says that it
        is the entry's; `efi_var_collect` (lib/efi_loader/efi_var_common.c) writes the data's.
    """

    spec_name = "efi_var_entry"

    length: Annotated[int, U32("length")]
    attributes: Annotated[int, U32("attr")]
    time: Annotated[int, U64("time")]
    guid: Annotated[Guid, GuidWire("guid")]


@dataclass(frozen=True)
class Variable:
    """One UEFI variable.

    :param attributes: EFI_VARIABLE_* bits.
    :param time: seconds since 1970, for time-based authenticated variables; else 0.
    """

    name: str
    guid: Guid
    attributes: int
    time: int
    data: bytes

    def pack(self) -> bytes:
        """The bytes of the entry, with the padding to the next one.

        :raises FormatError: a name that UCS-2 with a final zero cannot hold.
        """
        if "\0" in self.name or any(ord(character) > 0xFFFF for character in self.name):
            raise FormatError(f"efi_var_entry: the name {self.name!r} is not UCS-2 text")
        header = VariableHeader(len(self.data), self.attributes, self.time, self.guid)
        name = (self.name + "\0").encode("utf-16-le", "surrogatepass")
        entry = header.pack() + name + self.data
        return entry + bytes(-len(entry) % ALIGNMENT)


def pack_variables(variables: Iterable[Variable]) -> bytes:
    """The file that holds the variables in this order."""
    entries = b"".join(variable.pack() for variable in variables)
    size = VariableFileHeader.size() + len(entries)
    return VariableFileHeader(0, MAGIC, size, crc32(entries)).pack() + entries


def parse_variables(data: bytes) -> tuple[Variable, ...]:
    """The variables of a file, in its order.

    :raises FormatError: U-Boot would refuse the file (magic, length, crc32), or an entry leads
        beyond its end.
    """
    header = VariableFileHeader.parse(data)
    entries = data[header.size() :]
    for name, found, expected in (
        ("reserved", header.reserved, 0),
        ("magic", header.magic, MAGIC),
        ("length", header.length, len(data)),
        ("crc32", header.crc32, crc32(entries)),
    ):
        if found != expected:
            raise FormatError(
                f"{header.spec_name}: {name} is {found:#x}, of these bytes it must be {expected:#x}"
            )
    variables = []
    offset = header.size()
    while offset < len(data):
        variable, offset = _parse_variable(data, offset)
        variables.append(variable)
    return tuple(variables)


def _parse_variable(data: bytes, offset: int) -> tuple[Variable, int]:
    """A variable and where the next one starts.

    What stands in the padding is left alone: U-Boot leaves remnants of other variables there.
    """
    header = VariableHeader.parse(data, offset)
    name_at = end = offset + header.size()
    while unit := take(data, end, 2, "efi_var_entry: name"):
        end += 2
        if unit == b"\0\0":
            break
    name = data[name_at : end - 2].decode("utf-16-le", "surrogatepass")
    value = take(data, end, header.length, "efi_var_entry: data")
    variable = Variable(name, header.guid, header.attributes, header.time, value)
    end += header.length
    return variable, end + -end % ALIGNMENT
