"""The partition table of old PCs in its first sector (UEFI 2.10 section 5.2.1); no extended
partitions."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.record import U8, U32, Bytes, FormatError, Raw, Record, take

SECTOR = 512
ENTRIES = 4
TABLE_AT = 446
ID_AT = 440
MAGIC = b"\x55\xaa"
PROTECTIVE, EFI_SYSTEM = 0xEE, 0xEF
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
