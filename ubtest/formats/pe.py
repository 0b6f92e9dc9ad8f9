"""PE/COFF images as UEFI loads them: enough to name one, to check that it is whole, and to break it
(Microsoft's PE format; UEFI 2.10 section 2.1.1)."""

from dataclasses import dataclass, replace
from typing import Annotated

from ubtest.formats.record import U16, U32, Bytes, FormatError, Raw, Record, take

DOS_MAGIC = b"MZ"
NEW_HEADER_AT = 0x3C
PE_MAGIC = b"PE\0\0"
PE32, PE32_PLUS = 0x10B, 0x20B
SUBSYSTEMS = {10: "EFI application", 11: "EFI boot service driver", 12: "EFI runtime driver"}
MOST_SECTIONS = 96  # what the format's own loader takes
CERTIFICATES = 4  # place of the certificate table among the data directories


@dataclass(frozen=True)
class Machine:
    """A processor that UEFI knows.

    :param code: IMAGE_FILE_MACHINE_*.
    :param boot_file: what a removable medium starts on it (UEFI 2.10 section 3.5.1.1).
    :param bits: of its UINTN, and so of an EFI_STATUS.
    """

    name: str
    code: int
    boot_file: str
    bits: int = 64

    @property
    def boot_path(self) -> str:
        """The default boot file's path on the ESP, with slashes."""
        return f"EFI/BOOT/{self.boot_file}"

    @property
    def boot_path_name(self) -> str:
        """The same as PathName of a device path's node (section 10.3.5.4): from the root."""
        return "\\" + self.boot_path.replace("/", "\\")


AA64 = Machine("aa64", 0xAA64, "BOOTAA64.EFI")
ARM = Machine("arm", 0x01C4, "BOOTARM.EFI", bits=32)
X64 = Machine("x64", 0x8664, "BOOTX64.EFI")
IA32 = Machine("ia32", 0x014C, "BOOTIA32.EFI", bits=32)
RISCV64 = Machine("riscv64", 0x5064, "BOOTRISCV64.EFI")
MACHINES = {each.name: each for each in (AA64, ARM, X64, IA32, RISCV64)}


@dataclass(frozen=True)
class CoffHeader(Record):
    """What follows the magic number."""

    spec_name = "IMAGE_FILE_HEADER"

    machine: Annotated[int, U16("Machine")]
    sections: Annotated[int, U16("NumberOfSections")]
    time: Annotated[int, U32("TimeDateStamp")]
    symbols_at: Annotated[int, U32("PointerToSymbolTable")]
    symbols: Annotated[int, U32("NumberOfSymbols")]
    optional_size: Annotated[int, U16("SizeOfOptionalHeader")]
    characteristics: Annotated[int, U16("Characteristics")]


@dataclass(frozen=True)
class SectionHeader(Record):
    """One section.

    :param raw_size: bytes in the file, from `raw_at`.
    """

    spec_name = "IMAGE_SECTION_HEADER"

    name: Annotated[bytes, Raw("Name", 8)]
    virtual_size: Annotated[int, U32("VirtualSize")]
    virtual_at: Annotated[int, U32("VirtualAddress")]
    raw_size: Annotated[int, U32("SizeOfRawData")]
    raw_at: Annotated[int, U32("PointerToRawData")]
    relocations_at: Annotated[int, U32("PointerToRelocations")]
    lines_at: Annotated[int, U32("PointerToLinenumbers")]
    relocations: Annotated[int, U16("NumberOfRelocations")]
    lines: Annotated[int, U16("NumberOfLinenumbers")]
    characteristics: Annotated[int, U32("Characteristics")]


@dataclass(frozen=True)
class PeImage:
    """The headers of an image.

    :param coff_at: where the COFF header starts.
    :param certificates: bytes of the certificate table; 0 for an unsigned image.
    :param end: where the last section ends in the file: an image that is shorter is not whole.
    """

    coff_at: int
    coff: CoffHeader
    magic: int
    subsystem: int
    sections: tuple[SectionHeader, ...]
    certificates: int
    end: int

    @property
    def machine(self) -> str:
        """The name of its processor, or the number."""
        names = (each.name for each in MACHINES.values() if each.code == self.coff.machine)
        return next(names, f"machine {self.coff.machine:#06x}")

    @property
    def kind(self) -> str:
        return SUBSYSTEMS.get(self.subsystem, f"subsystem {self.subsystem}")

    @classmethod
    def parse(cls, data: Bytes) -> "PeImage":
        """Read the headers; nothing else of the file is touched.

        :raises FormatError: it is no PE image, or ends within its headers.
        """
        if take(data, 0, 2, "IMAGE_DOS_HEADER: e_magic") != DOS_MAGIC:
            raise FormatError("IMAGE_DOS_HEADER: does not start with MZ")
        at = int.from_bytes(take(data, NEW_HEADER_AT, 4, "IMAGE_DOS_HEADER: e_lfanew"), "little")
        if take(data, at, 4, "PE signature") != PE_MAGIC:
            raise FormatError(f"PE signature at {at:#x}: is not PE")
        coff = CoffHeader.parse(data, at + 4)
        if coff.sections > MOST_SECTIONS:
            raise FormatError(f"IMAGE_FILE_HEADER: {coff.sections} sections are more than allowed")
        start = at + 4 + CoffHeader.size()
        optional = take(data, start, coff.optional_size, "IMAGE_OPTIONAL_HEADER")
        magic = _integer(optional, 0, 2)
        if magic not in (PE32, PE32_PLUS):
            raise FormatError(f"IMAGE_OPTIONAL_HEADER.Magic: {magic:#x} is neither PE32 nor PE32+")
        headers = start + coff.optional_size
        sections = tuple(
            SectionHeader.parse(data, headers + n * SectionHeader.size())
            for n in range(coff.sections)
        )
        end = max((each.raw_at + each.raw_size for each in sections), default=headers)
        return cls(
            at + 4, coff, magic, _integer(optional, 68, 2), sections, _certificates(optional), end
        )


def with_machine(image: bytes, code: int) -> bytes:
    """The same image for another processor, as its header says.

    :raises FormatError: it is no PE image.
    """
    pe = PeImage.parse(image)
    coff = replace(pe.coff, machine=code).pack()
    return image[: pe.coff_at] + coff + image[pe.coff_at + len(coff) :]


def truncated(image: bytes) -> bytes:
    """The image without its last section: headers that promise more than the file has.

    :raises FormatError: it is no PE image, or has no section in the file.
    """
    stored = [each for each in PeImage.parse(image).sections if each.raw_size]
    if not stored:
        raise FormatError("IMAGE_SECTION_HEADER: no section has content in the file")
    return image[: max(each.raw_at for each in stored)]


def _certificates(optional: bytes) -> int:
    directories = 112 if _integer(optional, 0, 2) == PE32_PLUS else 96
    return _integer(optional, directories + 8 * CERTIFICATES + 4, 4)


def _integer(optional: bytes, offset: int, size: int) -> int:
    return int.from_bytes(take(optional, offset, size, "IMAGE_OPTIONAL_HEADER"), "little")
