"""The UEFI memory map (UEFI 2.10 section 7.2.3), as U-Boot and the kernel print it."""

import enum
import re
from dataclasses import dataclass

from ubtest.formats.record import FormatError

PAGE = 0x1000  # what the map counts in
ARM_PAGE = 0x10000  # UEFI 2.10 section 2.3.6.1: attributes may not differ inside of one


class MemoryType(enum.IntEnum):
    """EFI_MEMORY_TYPE."""

    RESERVED = 0
    LOADER_CODE = 1
    LOADER_DATA = 2
    BOOT_CODE = 3
    BOOT_DATA = 4
    RUNTIME_CODE = 5
    RUNTIME_DATA = 6
    CONVENTIONAL = 7
    UNUSABLE = 8
    ACPI_RECLAIM = 9
    ACPI_NVS = 10
    MMIO = 11
    MMIO_PORT = 12
    PAL_CODE = 13
    PERSISTENT = 14
    UNACCEPTED = 15

    @property
    def text(self) -> str:
        return self.name.lower().replace("_", " ")


# What an operating system may take once boot services have ended (drivers/firmware/efi/efi-init.c,
# is_usable_memory); ACPI_RECLAIM it keeps until the tables are read
USABLE = frozenset(
    {
        MemoryType.LOADER_CODE,
        MemoryType.LOADER_DATA,
        MemoryType.BOOT_CODE,
        MemoryType.BOOT_DATA,
        MemoryType.CONVENTIONAL,
        MemoryType.ACPI_RECLAIM,
        MemoryType.PERSISTENT,
    }
)
RUNTIME = "RT"
CACHED = frozenset({"WB", "WT", "WC"})  # what makes a range memory, in the same file: is_memory

# cmd/efidebug.c, efi_mem_type_string
_UBOOT = {
    "UNUSABLE MEM": MemoryType.UNUSABLE,
    "ACPI RECLAIM MEM": MemoryType.ACPI_RECLAIM,
    "IO": MemoryType.MMIO,
    "IO PORT": MemoryType.MMIO_PORT,
    "PAL": MemoryType.PAL_CODE,
}
# drivers/firmware/efi/efi.c, memory_type_name
_KERNEL = {"ACPI Mem NVS": MemoryType.ACPI_NVS, "MMIO": MemoryType.MMIO}

_UBOOT_LINE = re.compile(
    r"^(?P<kind>[A-Z][A-Z ]*?|\(unknown\)) +(?P<start>[0-9a-f]{16})-(?P<end>[0-9a-f]{16})"
    r"(?: (?P<attributes>[A-Z|]+))?$",
    re.MULTILINE,
)
_KERNEL_LINE = re.compile(
    r"efi: +0x(?P<start>[0-9a-f]+)-0x(?P<last>[0-9a-f]+) "
    r"\[(?P<kind>[^|\]]*)\|(?P<attributes>[^]]*)\]"
)


@dataclass(frozen=True)
class Region:
    """One EFI_MEMORY_DESCRIPTOR.

    :param end: the first byte behind it.
    :param attributes: EFI_MEMORY_* without that: "WB"; `RT` for EFI_MEMORY_RUNTIME.
    """

    start: int
    end: int
    kind: MemoryType
    attributes: frozenset[str]

    @property
    def is_memory(self) -> bool:
        """Memory, and not the registers of something."""
        return bool(self.attributes & CACHED)

    @property
    def usable(self) -> bool:
        """An operating system may take it."""
        return self.kind in USABLE and self.is_memory and "SP" not in self.attributes

    @property
    def runtime(self) -> bool:
        return RUNTIME in self.attributes

    def __str__(self) -> str:
        return f"{self.kind.text} {self.start:#x}-{self.end:#x}"


def of_uboot(text: str) -> tuple[Region, ...]:
    """What ``efidebug memmap`` printed, in its order (cmd/efidebug.c, do_efi_show_memmap).

    :raises FormatError: no map, or a type that is not known.
    """
    found = tuple(
        Region(
            int(row["start"], 16),
            int(row["end"], 16),
            _kind(row["kind"], _UBOOT),
            frozenset((row["attributes"] or "").split("|")) - {""},
        )
        for row in _UBOOT_LINE.finditer(text)
    )
    if not found:
        raise FormatError(f"no memory map in {text[-200:]!r}")
    return found


def of_kernel(log: str) -> tuple[Region, ...]:
    """The map in a kernel's log, which is there with ``efi=debug``; empty when it is not
    (drivers/firmware/efi/efi.c, efi_md_typeattr_format).

    :raises FormatError: a type that is not known.
    """
    return tuple(
        Region(
            int(row["start"], 16),
            int(row["last"], 16) + 1,
            _kind(row["kind"].strip(), _KERNEL),
            frozenset(
                RUNTIME if word == "RUN" else word
                for word in map(str.strip, row["attributes"].split("|"))
                if word
            ),
        )
        for row in _KERNEL_LINE.finditer(log)
    )


def _kind(name: str, special: dict[str, MemoryType]) -> MemoryType:
    try:
        return special.get(name) or MemoryType[name.upper().replace(" ", "_")]
    except KeyError as error:
        raise FormatError(f"memory map: {name!r} is no type of memory") from error
