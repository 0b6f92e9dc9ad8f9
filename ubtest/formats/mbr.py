"""The partition table of old PCs: four entries in the first sector (UEFI 2.10 section 5.2.1), and
the logical drives of an extended partition, which no specification has. Linux
(block/partitions/msdos.c), U-Boot (disk/part_dos.c) and sfdisk agree on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Annotated

from ubtest.formats.record import U8, U32, Bytes, FormatError, Raw, Record, take

SECTOR = 512
ENTRIES = 4
TABLE_AT = 446
ID_AT = 440
MAGIC = b"\x55\xaa"
PROTECTIVE, EFI_SYSTEM = 0xEE, 0xEF
EXTENDED, EXTENDED_LBA = 0x05, 0x0F
LOGICAL_FROM = 5  # the number of the first logical drive, however many partitions are before it
MOST_LOGICAL = 256  # where U-Boot stops as well
NO_CHS = b"\xfe\xff\xff"  # "see the sectors": what everybody writes since disks are large


@dataclass(frozen=True)
class MbrPartition(Record):
    """One entry of the table.

    :param first_lba: in sectors of 512 bytes, as is `sectors`.
    """

    spec_name = "MBR_PARTITION_RECORD"

    boot: Annotated[int, U8("BootIndicator")]
    first_chs: Annotated[bytes, Raw("StartingCHS", 3)]
    kind: Annotated[int, U8("OSType")]
    last_chs: Annotated[bytes, Raw("EndingCHS", 3)]
    first_lba: Annotated[int, U32("StartingLBA")]
    sectors: Annotated[int, U32("SizeInLBA")]

    @classmethod
    def of(cls, kind: int, first_lba: int, sectors: int) -> "MbrPartition":
        """A partition as it is written today: by its sectors alone."""
        return cls(0, NO_CHS, kind, NO_CHS, first_lba, sectors)

    @property
    def end_lba(self) -> int:
        """The first sector behind it."""
        return self.first_lba + self.sectors

    @property
    def extended(self) -> bool:
        """Whether it holds logical drives."""
        return self.kind in (EXTENDED, EXTENDED_LBA)


@dataclass(frozen=True)
class Mbr:
    """The first sector of a disk.

    Partitions are not checked against each other or the disk: a table that is wrong is a test.

    :param disk_id: UniqueMBRSignature; device paths tell a disk by it.
    """

    disk_id: int
    partitions: tuple[MbrPartition, ...]

    def pack(self) -> bytes:
        """The sector.

        :raises FormatError: more than four partitions, or a number that does not fit.
        """
        if len(self.partitions) > ENTRIES:
            raise FormatError(f"MBR: {len(self.partitions)} partitions, {ENTRIES} fit")
        table = b"".join(each.pack() for each in self.partitions)
        head = bytes(ID_AT) + U32("UniqueMBRSignature").pack(self.disk_id) + bytes(2)
        return head + table.ljust(ENTRIES * MbrPartition.size(), b"\0") + MAGIC

    @classmethod
    def parse(cls, data: Bytes) -> "Mbr":
        """Read the first sector; unused entries are left out.

        :raises FormatError: it is short, or has no signature.
        """
        if take(data, TABLE_AT + ENTRIES * MbrPartition.size(), 2, "MBR: Signature") != MAGIC:
            raise FormatError("MBR: Signature is not 55 aa")
        disk_id = int.from_bytes(take(data, ID_AT, 4, "MBR: UniqueMBRSignature"), "little")
        entries = (
            MbrPartition.parse(data, TABLE_AT + n * MbrPartition.size()) for n in range(ENTRIES)
        )
        return cls(disk_id, tuple(each for each in entries if each.kind))


@dataclass(frozen=True)
class LogicalDrive:
    """A partition in an extended one, with a table of its own somewhere before it.

    :param table_lba: the sector of that table (EBR), from the start of the disk.
    :param partition: from the start of the disk as well; on the disk it counts from the table.
    """

    table_lba: int
    partition: MbrPartition


def pack_logical(drives: Sequence[LogicalDrive]) -> tuple[tuple[int, bytes], ...]:
    """The table of each drive with its offset in bytes; the extended partition starts with the
    first. A table leads to its drive and to the next table.

    :raises FormatError: a number that does not fit.
    """
    pieces = []
    for drive, following in zip_longest(drives, drives[1:]):
        inside = drive.partition.first_lba - drive.table_lba
        entries = [replace(drive.partition, first_lba=inside)]
        if following:
            # Counted from the extended partition, and not from this table
            place = following.table_lba - drives[0].table_lba
            sectors = following.partition.end_lba - following.table_lba
            entries.append(MbrPartition.of(EXTENDED, place, sectors))
        pieces.append((drive.table_lba * SECTOR, Mbr(0, tuple(entries)).pack()))
    return tuple(pieces)


def parse_logical(data: Bytes, extended: MbrPartition) -> tuple[LogicalDrive, ...]:
    """The drives of an extended partition, in the order of their tables.

    :param data: the whole disk.
    :raises FormatError: a table is missing or has no signature, or they are too many: a circle.
    """
    drives: list[LogicalDrive] = []
    tables = [extended.first_lba]
    for table_lba in tables:
        if len(tables) > MOST_LOGICAL:
            raise FormatError(
                f"MBR: more than {MOST_LOGICAL} logical drives, or tables in a circle"
            )
        at = table_lba * SECTOR
        for each in Mbr.parse(data[at : at + SECTOR]).partitions:
            if each.extended:
                tables.append(extended.first_lba + each.first_lba)
                break
            place = table_lba + each.first_lba
            drives.append(LogicalDrive(table_lba, replace(each, first_lba=place)))
    return tuple(drives)
