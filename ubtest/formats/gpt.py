"""GUID partition table: protective MBR, primary and backup table (UEFI 2.10 chapter 5)."""

from dataclasses import dataclass, replace
from typing import Annotated
from zlib import crc32

from ubtest.formats.guid import ZERO, Guid, GuidWire
from ubtest.formats.record import U32, U64, FormatError, Raw, Record, take

SECTOR = 512
ENTRY_COUNT = 128
NAME_UNITS = 36
SIGNATURE = b"EFI PART"
REVISION_1_0 = 0x00010000


@dataclass(frozen=True)
class GptHeader(Record):
    """The header of either table (section 5.3.2).

    :param header_crc: over this header with the field itself as zero.
    """

    spec_name = "EFI_PARTITION_TABLE_HEADER"

    signature: Annotated[bytes, Raw("Signature", 8)]
    revision: Annotated[int, U32("Revision")]
    header_size: Annotated[int, U32("HeaderSize")]
    header_crc: Annotated[int, U32("HeaderCRC32")]
    reserved: Annotated[int, U32("Reserved")]
    my_lba: Annotated[int, U64("MyLBA")]
    alternate_lba: Annotated[int, U64("AlternateLBA")]
    first_usable_lba: Annotated[int, U64("FirstUsableLBA")]
    last_usable_lba: Annotated[int, U64("LastUsableLBA")]
    disk_guid: Annotated[Guid, GuidWire("DiskGUID")]
    entries_lba: Annotated[int, U64("PartitionEntryLBA")]
    entry_count: Annotated[int, U32("NumberOfPartitionEntries")]
    entry_size: Annotated[int, U32("SizeOfPartitionEntry")]
    entries_crc: Annotated[int, U32("PartitionEntryArrayCRC32")]

    def sealed(self) -> "GptHeader":
        """The same header with its own checksum in it."""
        return replace(self, header_crc=crc32(replace(self, header_crc=0).pack()))


@dataclass(frozen=True)
class GptEntry(Record):
    """One entry of the table (section 5.3.3)."""

    spec_name = "EFI_PARTITION_ENTRY"

    type_guid: Annotated[Guid, GuidWire("PartitionTypeGUID")]
    unique_guid: Annotated[Guid, GuidWire("UniquePartitionGUID")]
    first_lba: Annotated[int, U64("StartingLBA")]
    last_lba: Annotated[int, U64("EndingLBA")]
    attributes: Annotated[int, U64("Attributes")]
    name: Annotated[bytes, Raw("PartitionName", 2 * NAME_UNITS)]


TABLE_SECTORS = ENTRY_COUNT * GptEntry.size() // SECTOR
HEAD_SECTORS = 2 + TABLE_SECTORS
TAIL_SECTORS = TABLE_SECTORS + 1


@dataclass(frozen=True)
class GptPartition:
    """One partition.

    :param first_lba: in sectors of 512 bytes, as is `last_lba`, which belongs to the partition.
    """

    name: str
    type_guid: Guid
    unique_guid: Guid
    first_lba: int
    last_lba: int
    attributes: int = 0

    def pack(self) -> bytes:
        """The 128 bytes of the entry.

        :raises FormatError: the name is longer than 36 UTF-16 units or has a NUL.
        """
        name = self.name.encode("utf-16-le")
        if len(name) > 2 * NAME_UNITS or "\0" in self.name:
            raise FormatError(
                f"EFI_PARTITION_ENTRY.PartitionName: {self.name!r} is not 36 units of text"
            )
        return GptEntry(
            self.type_guid,
            self.unique_guid,
            self.first_lba,
            self.last_lba,
            self.attributes,
            name.ljust(2 * NAME_UNITS, b"\0"),
        ).pack()

    @classmethod
    def parse(cls, data: bytes, offset: int = 0) -> "GptPartition":
        entry = GptEntry.parse(data, offset)
        try:
            name = entry.name.decode("utf-16-le").partition("\0")[0]
        except UnicodeDecodeError as error:
            raise FormatError(f"EFI_PARTITION_ENTRY.PartitionName: {error}") from None
        return cls(
            name,
            entry.type_guid,
            entry.unique_guid,
            entry.first_lba,
            entry.last_lba,
            entry.attributes,
        )


@dataclass(frozen=True)
class Gpt:
    """The partitioning of a disk with 512-byte sectors.

    Partitions are not checked against each other or the disk: a table that is wrong is a test.

    :param sectors: of the whole disk.
    """

    disk_guid: Guid
    partitions: tuple[GptPartition, ...]
    sectors: int

    def pack(self) -> tuple[tuple[int, bytes], ...]:
        """The pieces to write, each with its offset in bytes: the head and the tail of the disk.

        :raises FormatError: too many partitions, or a disk too small for the tables.
        """
        if len(self.partitions) > ENTRY_COUNT:
            raise FormatError(f"GPT: {len(self.partitions)} partitions, {ENTRY_COUNT} fit")
        if self.sectors < HEAD_SECTORS + TAIL_SECTORS + 1:
            raise FormatError(f"GPT: the tables do not fit on {self.sectors} sectors")
        table = b"".join(partition.pack() for partition in self.partitions)
        table = table.ljust(TABLE_SECTORS * SECTOR, b"\0")
        primary = self._header(table)
        last = self.sectors - 1
        backup = replace(
            primary, my_lba=last, alternate_lba=1, entries_lba=last - TABLE_SECTORS
        ).sealed()
        head = _protective_mbr(self.sectors) + primary.pack().ljust(SECTOR, b"\0") + table
        tail = table + backup.pack().ljust(SECTOR, b"\0")
        return (0, head), ((self.sectors - TAIL_SECTORS) * SECTOR, tail)

    def _header(self, table: bytes) -> GptHeader:
        return GptHeader(
            SIGNATURE,
            REVISION_1_0,
            GptHeader.size(),
            header_crc=0,
            reserved=0,
            my_lba=1,
            alternate_lba=self.sectors - 1,
            first_usable_lba=HEAD_SECTORS,
            last_usable_lba=self.sectors - TAIL_SECTORS - 1,
            disk_guid=self.disk_guid,
            entries_lba=2,
            entry_count=ENTRY_COUNT,
            entry_size=GptEntry.size(),
            entries_crc=crc32(table),
        ).sealed()

    @classmethod
    def parse(cls, head: bytes, tail: bytes) -> "Gpt":
        """Read the first 34 and the last 33 sectors of a disk, and hold them against each other.

        :raises FormatError: either is short, has a wrong checksum, or they differ.
        """
        if take(head, 510, 2, "MBR: Signature") != b"\x55\xaa" or head[450] != 0xEE:
            raise FormatError("MBR: no protective MBR")
        primary, partitions = parse_table(head, SECTOR, 2 * SECTOR)
        backup, twins = parse_table(tail, TABLE_SECTORS * SECTOR, 0)
        expected = replace(
            primary,
            my_lba=primary.alternate_lba,
            alternate_lba=1,
            entries_lba=primary.alternate_lba - TABLE_SECTORS,
        ).sealed()
        if backup != expected or twins != partitions:
            raise FormatError("GPT: the backup differs from the primary table")
        return cls(primary.disk_guid, partitions, primary.alternate_lba + 1)


def parse_table(
    data: bytes, header_at: int, entries_at: int
) -> tuple[GptHeader, tuple[GptPartition, ...]]:
    """Read one of the two tables.

    :raises FormatError: it is short, or has a wrong checksum.
    """
    header = GptHeader.parse(data, header_at)
    take(data, header_at, SECTOR, f"{header.spec_name}: its sector")
    if header.signature != SIGNATURE or header != header.sealed():
        raise FormatError(f"{header.spec_name} at {header_at:#x}: signature or checksum is wrong")
    size = header.entry_count * header.entry_size
    if (header.entry_size, size) != (GptEntry.size(), TABLE_SECTORS * SECTOR):
        raise FormatError(f"{header.spec_name}: has not {ENTRY_COUNT} entries of 128 bytes")
    table = take(data, entries_at, size, f"{GptEntry.spec_name}: table")
    if crc32(table) != header.entries_crc:
        raise FormatError(f"{GptEntry.spec_name} at {entries_at:#x}: checksum is wrong")
    starts = range(0, size, header.entry_size)
    used = (at for at in starts if not table.startswith(ZERO.wire, at))
    return header, tuple(GptPartition.parse(table, at) for at in used)


def _protective_mbr(sectors: int) -> bytes:
    """One partition of type 0xEE over the whole disk, so that old tools keep off (5.2.3)."""
    first_chs, last_chs = b"\x00\x02\x00", b"\xff\xff\xff"
    size = min(sectors - 1, 0xFFFFFFFF)
    entry = b"\x00" + first_chs + b"\xee" + last_chs + U32("StartingLBA").pack(1)
    return bytes(446) + entry + U32("SizeInLBA").pack(size) + bytes(48) + b"\x55\xaa"
