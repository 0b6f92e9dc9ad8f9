"""FAT12, FAT16 and FAT32, as fsck.fat and mtools see them."""

import re
from pathlib import Path

import pytest

from ubtest.formats.fat import fat_volume
from ubtest.formats.fat_layout import SECTOR, Geometry
from ubtest.formats.record import FormatError
from ubtest.run import run

FILES = {
    "EFI/BOOT/BOOTAA64.EFI": b"MZ" * 3000,
    "a long name.txt": b"text",
    **{f"folder/number {n}.bin": bytes([n]) * n * 100 for n in range(40)},
}
KINDS = [(12, 1440), (12, 20000), (16, 8000), (16, 131072), (32, 70000), (32, 1200000)]


def image(path: Path, bits: int, sectors: int) -> Path:
    with path.open("wb") as file:
        file.truncate(sectors * SECTOR)
        for at, piece in fat_volume(FILES, sectors, label="ESP", serial=1, bits=bits):
            file.seek(at)
            file.write(piece)
    return path


@pytest.mark.parametrize(("bits", "sectors"), KINDS)
def test_fsck_finds_the_kind_and_nothing_wrong(tmp_path: Path, bits: int, sectors: int) -> None:
    said = run(["fsck.fat", "-n", "-v", image(tmp_path / "fat.img", bits, sectors)]).text
    entry = re.search(r"(\d+) bytes per FAT \(= (\d+) sectors", said)
    geometry = Geometry.of(sectors, bits)
    assert entry and int(entry[2]) == geometry.fat_sectors
    assert f"/{geometry.clusters} clusters" in said


@pytest.mark.parametrize(("bits", "sectors"), KINDS)
def test_mtools_reads_every_file(tmp_path: Path, bits: int, sectors: int) -> None:
    path = image(tmp_path / "fat.img", bits, sectors)
    for name, content in FILES.items():
        assert run(["mtype", "-i", path, f"::/{name}"]).stdout == content


@pytest.mark.parametrize(("bits", "sectors"), [(12, 1 << 20), (16, 4000), (32, 60000)])
def test_a_size_that_another_kind_has_is_refused(bits: int, sectors: int) -> None:
    with pytest.raises(FormatError, match=f"FAT{bits}"):
        Geometry.of(sectors, bits)
