"""Images from their description, as other programs see them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.media.build import build_image, partition_of
from ubtest.media.damage import DAMAGES
from ubtest.media.disk import build_disk
from ubtest.media.spec import Image, Partition, esp_image
from ubtest.probe.build import probe
from ubtest.project import Project
from ubtest.run import run

MiB = 1 << 20
PROBE = probe(project=Project.find(Path(__file__)))
FILES = {"EFI/BOOT/BOOTAA64.EFI": PROBE, "a.txt": b"text"}
THREE = Image(
    (
        Partition(FILES, size=10 * MiB),
        Partition(name="root", kind="linux", fat=None, size=3 * MiB),
        Partition({"b.txt": b"b"}, name="data", kind="basic-data", fat=32),
    )
)
LOGICAL = Image(
    (
        Partition(FILES, size=10 * MiB),
        Partition(kind="basic-data", fat=12, size=4 * MiB, logical=True),
        Partition(kind="linux", fat=None, size=3 * MiB, logical=True),
        Partition({"b.txt": b"b"}, size=20 * MiB, logical=True),
        Partition({"c.txt": b"c"}, kind="basic-data"),
    ),
    table="mbr",
)
CD = Image((Partition(FILES),), table="iso", files={"docs/README.TXT": b"hello"})


def test_sgdisk_finds_three_partitions_and_nothing_wrong(tmp_path: Path) -> None:
    disk = build_image(THREE, tmp_path / "gpt.img")
    assert "No problems found" in run(["sgdisk", "-v", disk.path]).text
    said = run(["sgdisk", "-i", "3", disk.path]).text.lower()
    assert str(partition_of(THREE, 3).unique_guid) in said
    assert "ebd0a0a2" in said


def test_sfdisk_finds_three_partitions(tmp_path: Path) -> None:
    disk = build_image(replace(THREE, table="mbr"), tmp_path / "mbr.img")
    said = run(["sfdisk", "-d", disk.path]).text
    assert "label: dos" in said
    kinds = [line.rpartition("type=")[2].strip() for line in said.splitlines() if "type=" in line]
    assert kinds == ["ef", "83", "c"]
    assert "overlap" not in run(["sfdisk", "-V", disk.path], check=False).text


def test_sfdisk_finds_logical_drives_and_mtools_their_files(tmp_path: Path) -> None:
    disk = build_image(LOGICAL, tmp_path / "logical.img")
    said = run(["sfdisk", "-d", disk.path]).text
    rows = re.findall(r"img(\d) : start= *(\d+), size= *(\d+), type=(\w+)", said)
    mib = 2048  # sectors
    assert [(int(n), int(first) / mib, int(size) / mib, kind) for n, first, size, kind in rows] == [
        (1, 1, 10, "ef"),
        (2, 11, 30, "f"),
        (3, 41, 23, "c"),
        (5, 12, 4, "c"),
        (6, 17, 3, "83"),
        (7, 21, 20, "ef"),
    ]
    checked = run(["sfdisk", "-V", disk.path], check=False)
    assert "No errors detected" in checked.text + checked.stderr.decode()
    assert run(["mtype", "-i", f"{disk.path}@@{21 * MiB}", "::/b.txt"]).stdout == b"b"
    assert run(["mtype", "-i", f"{disk.path}@@{41 * MiB}", "::/c.txt"]).stdout == b"c"


def test_isoinfo_finds_the_boot_image_and_the_files(tmp_path: Path) -> None:
    disk = build_image(CD, tmp_path / "cd.iso")
    assert run(["isoinfo", "-x", "/DOCS/README.TXT;1", "-i", disk.path]).stdout == b"hello"
    volume = tmp_path / "boot.img"
    volume.write_bytes(run(["isoinfo", "-x", "/EFIBOOT.IMG;1", "-i", disk.path]).stdout)
    run(["fsck.fat", "-n", volume])
    assert run(["mtype", "-i", volume, "::/a.txt"]).stdout == b"text"
    assert "El Torito" in run(["isoinfo", "-d", "-i", disk.path]).text


@pytest.mark.parametrize(
    "image",
    [THREE, replace(THREE, table="mbr"), LOGICAL, CD],
    ids=["gpt", "mbr", "logical", "cd"],
)
def test_the_same_bytes_at_another_time(
    tmp_path: Path, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_image(image, tmp_path / "a.img").sha256()
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert build_image(image, tmp_path / "b.img").sha256() == first


def test_one_esp_is_what_build_disk_makes(tmp_path: Path) -> None:
    one = build_image(esp_image(FILES), tmp_path / "a.img")
    assert one.sha256() == build_disk(tmp_path / "b.img", FILES).sha256()


def test_an_image_has_holes(tmp_path: Path) -> None:
    path = build_image(replace(THREE, size=512 * MiB), tmp_path / "a.img").path
    assert path.stat().st_size == 512 * MiB
    assert path.stat().st_blocks * 512 < 2 * MiB


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_changes_the_image(tmp_path: Path, name: str) -> None:
    good = build_image(esp_image(FILES), tmp_path / "a.img").path.read_bytes()
    bad = build_image(esp_image(FILES, damage=(name,)), tmp_path / "b.img").path.read_bytes()
    assert len(good) == len(bad)
    assert good != bad


@pytest.mark.parametrize(
    "image",
    [
        esp_image(FILES, damage=("rust",)),
        esp_image({}, damage=("no-boot-file",)),
        esp_image({"EFI/BOOT/BOOTAA64.EFI": b"text"}, damage=("truncated-pe",)),
        replace(CD, damage=("header-crc",)),
        replace(THREE, table="mbr", damage=("header-crc",)),
        replace(THREE, size=12 * MiB),
        replace(THREE, size=64 * MiB + 1),
        replace(THREE, size=1 << 60),
        replace(THREE, partitions=THREE.partitions * 2),
        replace(THREE, table="iso"),
        Image((Partition(fat=32, size=8 * MiB),)),
        Image((Partition(FILES, fat=None),)),
        Image((Partition(kind="swap"),)),
        Image((Partition(kind="0x123"),), table="mbr"),
        Image((Partition(size=MiB, fat=None),) * 5, table="mbr"),
        replace(CD, files={"ä b/ü": b""}),
        replace(LOGICAL, table="gpt"),
        replace(CD, partitions=(Partition(FILES, logical=True),)),
        replace(LOGICAL, partitions=LOGICAL.partitions + LOGICAL.partitions[1:2]),
        replace(LOGICAL, size=22 * MiB),
        Image((*[Partition(size=MiB, fat=None)] * 4, Partition(logical=True)), table="mbr"),
    ],
)
def test_what_cannot_be_made_says_so_and_leaves_no_file(tmp_path: Path, image: Image) -> None:
    with pytest.raises(CaseError):
        build_image(image, tmp_path / "a.img")
    assert list(tmp_path.iterdir()) == []
