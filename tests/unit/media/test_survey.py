"""`ubtest image show`: right about sound images, a message for all others."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ubtest.formats.fat import fat_volume
from ubtest.media.build import build_image
from ubtest.media.damage import DAMAGES
from ubtest.media.spec import Image, Partition, esp_image
from ubtest.media.survey import survey
from ubtest.probe.build import probe
from ubtest.project import Project

MiB = 1 << 20
FILES = {
    "EFI/BOOT/BOOTAA64.EFI": probe(project=Project.find(Path(__file__))),
    "a long name, longer than 13.txt": b"text",
}
SMALL = Image((Partition(FILES, fat=12),), size=4 * MiB)
SHAPES = {
    "gpt": SMALL,
    "mbr": replace(SMALL, table="mbr"),
    "logical": Image((Partition(FILES, fat=12, logical=True),), table="mbr", size=4 * MiB),
    "cd": Image((Partition(FILES, fat=12, size=MiB),), table="iso"),
    "fat32": Image((Partition(FILES, fat=32),), size=40 * MiB),
}


def made(tmp_path: Path, image: Image) -> bytes:
    return build_image(image, tmp_path / "a.img").path.read_bytes()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sound_image(tmp_path: Path, shape: str) -> None:
    image = SHAPES[shape]
    lines = list(survey(made(tmp_path, image)))
    assert [line for line in lines if line.startswith("!")] == []
    text = "\n".join(lines)
    assert f"FAT{image.partitions[0].fat}," in text
    assert f"EFI/BOOT/BOOTAA64.EFI  {len(FILES['EFI/BOOT/BOOTAA64.EFI'])} bytes" in text
    assert "EFI application for aa64, unsigned" in text
    assert "a long name, longer than 13.txt  4 bytes" in text


def test_logical_drives(tmp_path: Path) -> None:
    data = bytearray(made(tmp_path, SHAPES["logical"]))
    lines = list(survey(bytes(data)))
    assert "partition 1: extended, sectors 2048 + 6144" in lines
    assert "partition 5: esp, sectors 4096 + 4096" in lines
    data[MiB + 510] = 0
    assert any(line.startswith("! its logical drives: ") for line in survey(bytes(data)))


WRONG = {
    "backup-gpt-only": "! GPT, primary table",
    "header-crc": "! GPT, primary table",
    "entries-crc": "! GPT, primary table",
    "both-header-crcs": "! GPT, backup table",
    "both-entries-crcs": "! GPT, backup table",
    "wrong-architecture": "EFI application for x64",
    "truncated-pe": "is not whole",
    "empty-boot-file": "!     no program",
    "boot-file-is-text": "!     no program",
    "boot-file-is-folder": "EFI/BOOT/BOOTAA64.EFI/README.TXT",
    "no-boot-file": "BOOTAA64.EFI.OLD",
    "no-esp-type": "partition 1: basic-data",
    "lower-case": "efi/boot/bootaa64.efi",
    "mixed-case": "Efi/Boot/Bootaa64.Efi",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_seen(tmp_path: Path, name: str) -> None:
    lines = list(survey(made(tmp_path, esp_image(FILES, damage=(name,)))))
    assert WRONG[name] in "\n".join(lines)


def test_a_file_system_without_a_table() -> None:
    data = bytearray(2880 * 512)
    for at, piece in fat_volume({"a.txt": b"a"}, 2880, label="A", serial=1, bits=12):
        data[at : at + len(piece)] = piece
    assert "    a.txt  1 bytes" in list(survey(bytes(data)))


@pytest.mark.parametrize("data", [b"", b"x", bytes(512), bytes(4096), b"\x55\xaa" * 5000])
def test_no_image(data: bytes) -> None:
    assert any(line.startswith("!") for line in survey(data))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, list[int]]]:
    """Images, each with where it is not empty."""
    folder = tmp_path_factory.mktemp("samples")
    images = [made(folder, SHAPES[shape]) for shape in ("gpt", "mbr", "logical", "cd")]
    return [(i, [at for at in range(0, len(i), 512) if any(i[at : at + 512])]) for i in images]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_hostile_bytes_give_lines_within_bounds(
    samples: list[tuple[bytes, list[int]]], data: st.DataObject
) -> None:
    image, used = samples[data.draw(st.integers(0, len(samples) - 1))]
    broken = bytearray(image)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 511))
        broken[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    lines = list(survey(bytes(broken[: data.draw(st.sampled_from([len(broken), 70000, 5000]))])))
    assert lines


def test_folders_that_hold_each_other_end(tmp_path: Path) -> None:
    image = bytearray(made(tmp_path, SMALL))
    at = image.index(b"BOOT       \x10")
    parent = image.index(b"EFI        \x10")
    image[at + 26 : at + 28] = image[parent + 26 : parent + 28]
    start = time.monotonic()
    assert any("more files" in line for line in survey(bytes(image)))
    assert time.monotonic() - start < 5
