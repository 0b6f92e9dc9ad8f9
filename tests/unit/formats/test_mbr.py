"""The table of old PCs and its logical drives, with sfdisk as a second opinion."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.mbr import (
    EXTENDED_LBA,
    LogicalDrive,
    Mbr,
    MbrPartition,
    pack_logical,
    parse_logical,
)
from ubtest.formats.record import FormatError
from ubtest.run import run

MiB = 1 << 20
EXTENDED = MbrPartition.of(EXTENDED_LBA, 8, 100)
ROW = re.compile(r"img(\d+) : start= *(\d+), size= *(\d+), type=(\w+)")


def drives_of(sizes: list[tuple[int, int]]) -> list[LogicalDrive]:
    """One behind the other: sectors of each table and what follows it, sectors of each drive."""
    at, drives = 2048, []
    for gap, sectors in sizes:
        drives.append(LogicalDrive(at, MbrPartition.of(0x83, at + gap, sectors)))
        at += gap + sectors
    return drives


def written(sectors: int, pieces: tuple[tuple[int, bytes], ...]) -> bytes:
    data = bytearray(sectors * 512)
    for at, piece in pieces:
        data[at : at + len(piece)] = piece
    return bytes(data)


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(1, 64)), min_size=1, max_size=20))
def test_logical_drives_come_back(sizes: list[tuple[int, int]]) -> None:
    drives = drives_of(sizes)
    end = drives[-1].partition.end_lba
    extended = MbrPartition.of(EXTENDED_LBA, 2048, end - 2048)
    assert parse_logical(written(end, pack_logical(drives)), extended) == tuple(drives)


def test_what_sfdisk_writes_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    with disk.open("wb") as file:
        file.truncate(64 * MiB)
    wanted = "label: dos\n,4M,ef\n,40M,Ex\n,3M,83\n,5M,c\n,7M,83\n,8M,ef\n"
    run(["sfdisk", "--quiet", disk], stdin=wanted.encode())
    data = disk.read_bytes()
    primary = Mbr.parse(data).partitions
    (extended,) = (each for each in primary if each.extended)
    found = [*enumerate(primary, 1)]
    found += enumerate([each.partition for each in parse_logical(data, extended)], 5)
    rows = [
        (int(number), int(first), int(sectors), int(kind, 16))
        for number, first, sectors, kind in ROW.findall(run(["sfdisk", "-d", disk]).text)
    ]
    assert len(rows) == 6
    assert [(number, p.first_lba, p.sectors, p.kind) for number, p in found] == rows


def test_without_a_next_table_the_drives_end() -> None:
    (piece,) = pack_logical([LogicalDrive(8, MbrPartition.of(0x83, 9, 4))])
    assert len(parse_logical(written(200, (piece,)), EXTENDED)) == 1


@pytest.mark.parametrize(
    ("start", "length"), [(0, 0), (0, 8 * 512 + 100)], ids=["no table", "cut short"]
)
def test_a_table_that_is_not_there(start: int, length: int) -> None:
    with pytest.raises(FormatError):
        parse_logical(bytes(length), EXTENDED)


def test_tables_in_a_circle() -> None:
    """The second leads to the first again."""
    drives = [LogicalDrive(at, MbrPartition.of(0x83, at + 1, 4)) for at in (8, 16)]
    data = written(200, pack_logical(drives))
    circle = Mbr(0, (MbrPartition.of(0x83, 1, 4), MbrPartition.of(5, 0, 8))).pack()
    with pytest.raises(FormatError, match="circle"):
        parse_logical(written(200, ((0, data), (16 * 512, circle))), EXTENDED)
