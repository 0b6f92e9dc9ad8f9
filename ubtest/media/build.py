"""Makes the image that a description asks for: the same bytes every time, holes where it is
empty."""

from collections.abc import Iterator
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.formats.fat import fat_volume
from ubtest.formats.gpt import HEAD_SECTORS, SECTOR, TAIL_SECTORS, Gpt, GptPartition
from ubtest.formats.guid import Guid
from ubtest.formats.mbr import EXTENDED_LBA, LogicalDrive, Mbr, MbrPartition, pack_logical
from ubtest.formats.record import FormatError
from ubtest.media.damage import damage_written, damaged
from ubtest.media.disk import Disk, derived, replacing
from ubtest.media.iso import iso_image
from ubtest.media.spec import Image, Partition

MiB = 1 << 20
ALIGNMENT = MiB // SECTOR
LARGEST = 1 << 40  # bytes; the file has holes, but a typing error should not make it 8 EiB
Piece = tuple[int, bytes]
Range = tuple[int, int]  # first sector, number of sectors


def build_image(image: Image, path: Path) -> Disk:
    """Write an image.

    :param path: replaced when the new image is whole, never before.
    :raises CaseError: the description cannot be made: a size, a name, too many partitions, more
        content than fits, or a damage that it cannot have.
    :raises HostError: no space left, or no permission.
    """
    broken = damaged(image)
    try:
        pieces = [*_pieces(broken)]
    except FormatError as error:
        raise CaseError(f"the image {path.name} cannot be made: {error}") from error
    with replacing(path) as part, part.open("r+b") as file:
        file.truncate(0 if broken.table == "iso" else broken.size)
        for offset, piece in pieces:
            file.seek(offset)
            file.write(piece)
        damage_written(broken, file)
    return Disk(path)


def partition_of(image: Image, number: int = 1) -> GptPartition:
    """What the GPT of an image says about one of its partitions, from 1."""
    return _gpt(image).partitions[number - 1]


def _pieces(image: Image) -> Iterator[Piece]:
    if image.table != "mbr" and any(each.logical for each in image.partitions):
        raise CaseError(
            f"the table {image.table} has no logical drives",
            next_step="take table: mbr, or a partition that is not logical",
        )
    if image.table == "iso":
        yield 0, iso_image(image)
        return
    if image.table == "mbr":
        places = _places(image, tail=0)
        yield from _mbr(image, places)
    else:
        places = _places(image, tail=TAIL_SECTORS)
        yield from _gpt(image).pack()
    for number, (partition, place) in enumerate(zip(image.partitions, places, strict=True), 1):
        yield from _volume(image, partition, number, place)


def _volume(image: Image, partition: Partition, number: int, place: Range) -> Iterator[Piece]:
    if partition.fat is None:
        if partition.files:
            raise CaseError(f"partition {number} has files and no file system")
        return
    first, sectors = place
    for at, piece in fat_volume(
        partition.files,
        sectors,
        label=partition.label,
        serial=derived(image.identity, _numbered("volume", number)).int & 0xFFFFFFFF,
        hidden_sectors=first,
        bits=partition.fat,
    ):
        yield first * SECTOR + at, piece


def _mbr(image: Image, places: list[Range]) -> Iterator[Piece]:
    """The table; logical drives stand together, in an extended partition of their own."""
    primary: list[MbrPartition] = []
    drives: list[LogicalDrive] = []
    for each, place in zip(image.partitions, places, strict=True):
        entry = MbrPartition.of(each.type_number, *place)
        if not each.logical:
            primary.append(entry)
        elif drives and primary and primary[-1].first_lba > drives[0].table_lba:
            raise CaseError(
                "a primary partition stands between the logical drives, which share one partition",
                next_step="move the primary partition before or behind all of them",
            )
        else:
            drives.append(LogicalDrive(entry.first_lba - ALIGNMENT, entry))
    if drives:
        first, end = drives[0].table_lba, drives[-1].partition.end_lba
        primary.append(MbrPartition.of(EXTENDED_LBA, first, end - first))
        primary.sort(key=lambda each: each.first_lba)
    yield 0, Mbr(derived(image.identity, "disk").int & 0xFFFFFFFF, tuple(primary)).pack()
    yield from pack_logical(drives)


def _gpt(image: Image) -> Gpt:
    entries = []
    places = _places(image, tail=TAIL_SECTORS)
    for number, (each, (first, count)) in enumerate(zip(image.partitions, places, strict=True), 1):
        unique = Guid(derived(image.identity, _numbered("partition", number)).bytes_le)
        last = first + count - 1
        entries.append(GptPartition(each.name, each.type_guid, unique, first, last))
    disk_guid = Guid(derived(image.identity, "disk").bytes_le)
    return Gpt(disk_guid, tuple(entries), image.size // SECTOR)


def _numbered(part: str, number: int) -> str:
    """The first one has the name that :func:`ubtest.media.disk.build_disk` gives it."""
    return part if number == 1 else f"{part} {number}"


def _places(image: Image, *, tail: int) -> list[Range]:
    """Partitions one after the other, on whole MiB; the MiB before a logical drive has its table.

    :param tail: sectors that the backup table has at the end.
    """
    if image.size % SECTOR or not (HEAD_SECTORS + TAIL_SECTORS) * SECTOR < image.size <= LARGEST:
        raise CaseError(f"a disk of {image.size} bytes: must be a multiple of 512, at most 1 TiB")
    at = ALIGNMENT
    end = (image.size // SECTOR - tail) // ALIGNMENT * ALIGNMENT
    places = []
    for number, each in enumerate(image.partitions, 1):
        at += ALIGNMENT if each.logical else 0
        count = end - at if each.size is None else -(-each.size // MiB) * ALIGNMENT
        if count <= 0 or at + count > end:
            raise CaseError(
                f"partition {number} does not fit: {max(0, end - at) // ALIGNMENT} MiB are left",
                next_step="make the disk larger; only the last partition can do without a size",
            )
        places.append((at, count))
        at += count
    return places
