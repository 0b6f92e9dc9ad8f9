"""Says what is on an image, whatever it is: hostile ones, too."""

from collections.abc import Iterator

from ubtest.formats.fat_read import FatReader
from ubtest.formats.gpt import HEAD_SECTORS, SECTOR, TABLE_SECTORS, GptHeader, GptPartition
from ubtest.formats.gpt import parse_table as parse_gpt
from ubtest.formats.mbr import LOGICAL_FROM, PROTECTIVE, Mbr, MbrPartition, parse_logical
from ubtest.formats.pe import PeImage
from ubtest.formats.record import Bytes, FormatError
from ubtest.media.spec import KINDS

PE_HEAD = 8192  # bytes of a program that are looked at
CD_AT, CD_MAGIC = 16 * 2048, b"\x01CD001\x01"
EL_TORITO = b"\x00CD001\x01EL TORITO SPECIFICATION"


def survey(data: Bytes) -> Iterator[str]:
    """Lines that explain an image; those that name something wrong start with `! `."""
    yield f"{len(data)} bytes, {len(data) / (1 << 20):.1f} MiB"
    if data[CD_AT : CD_AT + len(CD_MAGIC)] == CD_MAGIC:
        yield from _cd(data)
        return
    try:
        mbr = Mbr.parse(data)
    except FormatError as error:
        yield f"! no partition table: {error}"
        yield from _file_system(data, 0)
        return
    if any(each.kind == PROTECTIVE for each in mbr.partitions):
        yield from _gpt(data)
        return
    if data[54:59] in (b"FAT12", b"FAT16") or data[82:87] == b"FAT32":
        yield "no partition table: one file system over all of it"
        yield from _file_system(data, 0)
        return
    yield f"MBR, disk identifier {mbr.disk_id:#010x}"
    names = {number: name for name, (_, number) in KINDS.items()}
    drives: list[MbrPartition] = []
    for number, each in enumerate(mbr.partitions, 1):
        yield from _entry(data, number, each, names)
        if each.extended:
            try:
                drives += [drive.partition for drive in parse_logical(data, each)]
            except FormatError as error:
                yield f"! its logical drives: {error}"
    for number, each in enumerate(drives, LOGICAL_FROM):
        yield from _entry(data, number, each, names)


def _entry(data: Bytes, number: int, each: MbrPartition, names: dict[int, str]) -> Iterator[str]:
    kind = "extended" if each.extended else names.get(each.kind, f"type {each.kind:#04x}")
    yield f"partition {number}: {kind}, sectors {each.first_lba} + {each.sectors}"
    yield from _outside(data, each.end_lba)
    if not each.extended:
        yield from _file_system(data, each.first_lba * SECTOR)


def _gpt(data: Bytes) -> Iterator[str]:
    tail = len(data) // SECTOR - TABLE_SECTORS - 1
    tables: list[tuple[GptHeader, tuple[GptPartition, ...]]] = []
    for name, first, header_at, entries_at in (
        ("primary", 0, SECTOR, 2 * SECTOR),
        ("backup", tail * SECTOR, TABLE_SECTORS * SECTOR, 0),
    ):
        try:
            part = data[max(0, first) : max(0, first) + HEAD_SECTORS * SECTOR]
            tables.append(parse_gpt(part, header_at, entries_at))
            yield f"GPT, {name} table: sound"
        except FormatError as error:
            yield f"! GPT, {name} table: {error}"
    if len(tables) == 2 and tables[0][1] != tables[1][1]:
        yield "! the tables differ"
    if not tables:
        return
    header, partitions = tables[0]
    yield f"disk GUID {header.disk_guid}"
    names = {guid: name for name, (guid, _) in KINDS.items()}
    for number, each in enumerate(partitions, 1):
        kind = names.get(each.type_guid, str(each.type_guid))
        place = f"sectors {each.first_lba}..{each.last_lba}"
        yield f"partition {number}: {kind}, {each.name!r}, {place}"
        yield f"  GUID {each.unique_guid}"
        yield from _outside(data, each.last_lba + 1)
        yield from _file_system(data, each.first_lba * SECTOR)


def _outside(data: Bytes, end: int) -> Iterator[str]:
    if end > len(data) // SECTOR:
        yield f"! it ends at sector {end}, the disk has {len(data) // SECTOR}"


def _cd(data: Bytes) -> Iterator[str]:
    yield "ISO 9660 (CD)"
    boot = CD_AT + 2048
    if data[boot : boot + len(EL_TORITO)] != EL_TORITO:
        yield "! no El Torito boot record behind the volume descriptor"
        return
    catalog = int.from_bytes(data[boot + 71 : boot + 75], "little") * 2048
    entries = data[catalog : catalog + 64]
    if len(entries) < 64 or entries[0] != 1 or entries[30:32] != b"\x55\xaa":
        yield "! the boot catalog is not one"
        return
    platform = "EFI" if entries[1] == 0xEF else f"platform {entries[1]:#04x}"
    at = int.from_bytes(entries[40:44], "little") * 2048
    yield f"El Torito boot image for {platform} at {at:#x}"
    yield from _file_system(data, at)


def _file_system(data: Bytes, offset: int) -> Iterator[str]:
    try:
        volume = FatReader(data, offset)
    except FormatError as error:
        yield f"  no FAT file system: {error}"
        return
    yield f"  FAT{volume.bits}, {volume.clusters} clusters of {volume.cluster_size} bytes"
    try:
        for found in volume.files():
            if found.size is not None:
                yield f"    {found.path}  {found.size} bytes"
            else:
                yield f"    {found.path}/"
            if found.size is not None and found.path.lower().endswith(".efi"):
                head = (
                    volume.content(found.cluster, min(found.size, PE_HEAD)) if found.size else b""
                )
                yield from _program(head, found.size)
    except FormatError as error:
        yield f"! {error}"


def _program(head: bytes, size: int) -> Iterator[str]:
    try:
        pe = PeImage.parse(head)
    except FormatError as error:
        yield f"!     no program: {error}"
        return
    signed = "signed" if pe.certificates else "unsigned"
    yield f"      {pe.kind} for {pe.machine}, {signed}"
    if pe.end > size:
        yield f"!     is not whole: its sections end at {pe.end}"
