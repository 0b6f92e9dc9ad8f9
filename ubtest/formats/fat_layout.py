"""Where the parts of a FAT volume are, and what its boot sector and folders look like
(Microsoft's FAT specification 1.03)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.record import U8, U16, U32, FormatError, Raw, Record

SECTOR = 512
ROOT_ENTRIES = 512
FATS = 2
MEDIA = 0xF8
ROOT_CLUSTER, INFO_SECTOR, BACKUP_SECTOR = 2, 1, 6  # of FAT32
# Bits of an entry of the table -> how many clusters there are, which is all that tells a reader
CLUSTERS = {12: range(1, 4085), 16: range(4085, 65525), 32: range(65525, 0x0FFFFFF6)}
READ_ONLY, HIDDEN, SYSTEM, VOLUME_LABEL, FOLDER, ARCHIVE = (1 << bit for bit in range(6))
DATE = 20 << 9 | 1 << 5 | 1  # 2000-01-01 in every entry, so that images do not differ


@dataclass(frozen=True)
class ParameterBlock(Record):
    """What a volume of any kind starts with (section 3.1)."""

    spec_name = "FAT_BIOS_PARAMETER_BLOCK"

    jump: Annotated[bytes, Raw("BS_jmpBoot", 3)]
    oem_name: Annotated[bytes, Raw("BS_OEMName", 8)]
    bytes_per_sector: Annotated[int, U16("BPB_BytsPerSec")]
    sectors_per_cluster: Annotated[int, U8("BPB_SecPerClus")]
    reserved_sectors: Annotated[int, U16("BPB_RsvdSecCnt")]
    fats: Annotated[int, U8("BPB_NumFATs")]
    root_entries: Annotated[int, U16("BPB_RootEntCnt")]
    sectors_16: Annotated[int, U16("BPB_TotSec16")]
    media: Annotated[int, U8("BPB_Media")]
    fat_sectors: Annotated[int, U16("BPB_FATSz16")]
    sectors_per_track: Annotated[int, U16("BPB_SecPerTrk")]
    heads: Annotated[int, U16("BPB_NumHeads")]
    hidden_sectors: Annotated[int, U32("BPB_HiddSec")]
    sectors_32: Annotated[int, U32("BPB_TotSec32")]


@dataclass(frozen=True)
class BootSector(ParameterBlock):
    """The start of FAT12 and FAT16 (section 3.2)."""

    spec_name = "FAT_BOOT_SECTOR"

    drive: Annotated[int, U8("BS_DrvNum")]
    reserved: Annotated[int, U8("BS_Reserved1")]
    boot_signature: Annotated[int, U8("BS_BootSig")]
    serial: Annotated[int, U32("BS_VolID")]
    label: Annotated[bytes, Raw("BS_VolLab", 11)]
    kind: Annotated[bytes, Raw("BS_FilSysType", 8)]


@dataclass(frozen=True)
class BootSector32(ParameterBlock):
    """The start of FAT32 (section 3.3)."""

    spec_name = "FAT32_BOOT_SECTOR"

    fat_sectors_32: Annotated[int, U32("BPB_FATSz32")]
    flags: Annotated[int, U16("BPB_ExtFlags")]
    version: Annotated[int, U16("BPB_FSVer")]
    root_cluster: Annotated[int, U32("BPB_RootClus")]
    info_sector: Annotated[int, U16("BPB_FSInfo")]
    backup_sector: Annotated[int, U16("BPB_BkBootSec")]
    reserved_32: Annotated[bytes, Raw("BPB_Reserved", 12)]
    drive: Annotated[int, U8("BS_DrvNum")]
    reserved: Annotated[int, U8("BS_Reserved1")]
    boot_signature: Annotated[int, U8("BS_BootSig")]
    serial: Annotated[int, U32("BS_VolID")]
    label: Annotated[bytes, Raw("BS_VolLab", 11)]
    kind: Annotated[bytes, Raw("BS_FilSysType", 8)]


@dataclass(frozen=True)
class FolderEntry(Record):
    """One entry of a folder (section 6)."""

    spec_name = "FAT_DIRECTORY_ENTRY"

    name: Annotated[bytes, Raw("DIR_Name", 11)]
    attributes: Annotated[int, U8("DIR_Attr")]
    case: Annotated[int, U8("DIR_NTRes")] = 0
    created_tenth: Annotated[int, U8("DIR_CrtTimeTenth")] = 0
    created_time: Annotated[int, U16("DIR_CrtTime")] = 0
    created_date: Annotated[int, U16("DIR_CrtDate")] = DATE
    accessed_date: Annotated[int, U16("DIR_LstAccDate")] = DATE
    cluster_high: Annotated[int, U16("DIR_FstClusHI")] = 0
    written_time: Annotated[int, U16("DIR_WrtTime")] = 0
    written_date: Annotated[int, U16("DIR_WrtDate")] = DATE
    cluster: Annotated[int, U16("DIR_FstClusLO")] = 0
    length: Annotated[int, U32("DIR_FileSize")] = 0


@dataclass(frozen=True)
class Geometry:
    """Where the parts of a volume are, in sectors from its start.

    :param bits: of an entry of the table: 12, 16 or 32.
    """

    sectors: int
    cluster_sectors: int
    fat_sectors: int
    bits: int = 16

    @classmethod
    def of(cls, sectors: int, bits: int = 16) -> "Geometry":
        """The layout for a volume of so many sectors.

        :raises FormatError: too small or too large: FAT12 goes to about 127 MiB, FAT16 from 2.1
            MiB to 2 GiB, FAT32 from 33 MiB on.
        """
        most = {12: 4000, 16: 32768, 32: 1 << 20}[bits]
        cluster = next((each for each in (1, 2, 4, 8, 16, 32) if sectors // each <= most), 64)
        fat_sectors = -(-bits * (sectors // cluster + 2) // (8 * SECTOR))
        geometry = cls(sectors, cluster, fat_sectors, bits)
        if geometry.clusters not in CLUSTERS[bits]:
            raise FormatError(f"FAT{bits}: {sectors} sectors are too few or too many")
        return geometry

    @property
    def reserved(self) -> int:
        return 32 if self.bits == 32 else 1

    @property
    def root_entries(self) -> int:
        """Of a root that has a place of its own; on FAT32 it is a chain like any other."""
        return 0 if self.bits == 32 else ROOT_ENTRIES

    @property
    def root(self) -> int:
        return self.reserved + FATS * self.fat_sectors

    @property
    def data(self) -> int:
        return self.root + self.root_entries * FolderEntry.size() // SECTOR

    @property
    def clusters(self) -> int:
        return (self.sectors - self.data) // self.cluster_sectors

    def boot_sector(self, label: bytes, serial: int, hidden_sectors: int) -> bytes:
        small = self.bits != 32 and self.sectors < 0x10000
        block = (
            b"\xeb\x3c\x90" if self.bits != 32 else b"\xeb\x58\x90",
            b"UBTEST  ",
            SECTOR,
            self.cluster_sectors,
            self.reserved,
            FATS,
            self.root_entries,
            self.sectors if small else 0,
            MEDIA,
            self.fat_sectors if self.bits != 32 else 0,
            32,
            64,
            hidden_sectors,
            0 if small else self.sectors,
        )
        volume = (0x80, 0, 0x29, serial, label, f"FAT{self.bits:<5}".encode())
        head: ParameterBlock = BootSector(*block, *volume)
        if self.bits == 32:
            place = (self.fat_sectors, 0, 0, ROOT_CLUSTER, INFO_SECTOR, BACKUP_SECTOR, bytes(12))
            head = BootSector32(*block, *place, *volume)
        return head.pack().ljust(SECTOR - 2, b"\0") + b"\x55\xaa"
