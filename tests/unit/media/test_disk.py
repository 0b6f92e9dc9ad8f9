"""Disk images; sgdisk and fsck.fat give the second opinion."""

import errno
import os
import sys
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.formats.guid import Guid
from ubtest.media.disk import MiB, build_disk, esp, room
from ubtest.media.fat import FatVolume
from ubtest.run import run

FILES = {
    "EFI/UpdateCapsule/fw.cap": b"capsule" * 1000,
    "EFI/BOOT/BOOTAA64.EFI": b"application",
    "EFI/chain/of/folders/x": b"1",
    "EFI/BOOT/b/2": b"2",
    "EFI/BOOT/b/1": b"1",
    "ubootefi.var": b"",
}


def test_a_disk_is_sound_to_the_tools_of_others(tmp_path: Path) -> None:
    disk = build_disk(tmp_path / "disk.img", FILES)
    assert "No problems found" in run(["sgdisk", "-v", disk.path]).text
    assert "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" in run(["sgdisk", "-i", "1", disk.path]).text
    with disk.path.open("rb") as image, (tmp_path / "esp").open("wb") as esp:
        image.seek(MiB)
        esp.write(image.read(62 * MiB))
    assert "14 files" in run(["fsck.fat", "-n", "-v", tmp_path / "esp"]).text


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    disk = build_disk(tmp_path / "disk.img", FILES)
    assert disk.listing() == sorted(FILES)
    assert {name: disk.read(name) for name in FILES} == FILES
    assert disk.read("EFI/nope") is None


def test_the_same_input_is_the_same_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_disk(tmp_path / "first.img", FILES)
    for name, value in (("TZ", "Asia/Tokyo"), ("SOURCE_DATE_EPOCH", "1"), ("LC_ALL", "C.UTF-8")):
        monkeypatch.setenv(name, value)
    backwards = dict(reversed(FILES.items()))
    second = build_disk(tmp_path / "second.img", backwards)
    assert first.sha256() == second.sha256()


def test_another_identity_is_another_disk(tmp_path: Path) -> None:
    one = build_disk(tmp_path / "one.img", FILES, identity="one")
    two = build_disk(tmp_path / "two.img", FILES, identity="two")
    assert one.sha256() != two.sha256()
    assert one.listing() == two.listing()


def test_an_image_is_sparse(tmp_path: Path) -> None:
    status = build_disk(tmp_path / "disk.img", FILES).path.stat()
    assert status.st_size == 64 * MiB
    assert status.st_blocks * 512 < 2 * MiB


def test_an_image_replaces_an_older_one(tmp_path: Path) -> None:
    build_disk(tmp_path / "disk.img", FILES)
    assert build_disk(tmp_path / "disk.img", {"x": b"1"}, size=8 * MiB).listing() == ["x"]
    assert [path.name for path in tmp_path.iterdir()] == ["disk.img"]


@pytest.mark.parametrize("size", [0, 8 * MiB - 512, 8 * MiB + 1])
def test_a_wrong_size_is_the_tests_fault(size: int, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=f"a disk of {size} bytes"):
        build_disk(tmp_path / "disk.img", {}, size=size)


def test_the_partition_of_a_disk_is_known_before_it_is_made(tmp_path: Path) -> None:
    disk = build_disk(tmp_path / "disk.img", {}, identity="one", size=8 * MiB)
    said = run(["sgdisk", "-i", "1", disk.path]).text
    partition = esp("one", size=8 * MiB)
    assert str(partition.unique_guid).upper() in said
    assert f"First sector: {partition.first_lba} " in said
    assert f"Last sector: {partition.last_lba} " in said
    assert str(partition.type_guid).upper() in said


def test_a_partition_can_be_none_of_the_firmwares(tmp_path: Path) -> None:
    data = Guid.of("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
    disk = build_disk(tmp_path / "disk.img", FILES, kind=data)
    assert "(Microsoft basic data)" in run(["sgdisk", "-i", "1", disk.path]).text
    assert disk.listing() == sorted(FILES)


@pytest.mark.parametrize("size", [8 * MiB, 64 * MiB])
def test_room_is_what_fits_to_the_byte(size: int, tmp_path: Path) -> None:
    most = room(FILES, size=size)
    disk = build_disk(tmp_path / "disk.img", {**FILES, "filler": bytes(most)}, size=size)
    assert b" 0 bytes free" in run(["mdir", "-i", f"{disk.path}@@1M", "::"]).stdout
    with pytest.raises(CaseError, match="do not fit"):
        build_disk(tmp_path / "disk.img", {**FILES, "filler": bytes(most + 1)}, size=size)


def test_what_does_not_fit_leaves_no_image(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="do not fit"):
        build_disk(tmp_path / "disk.img", {"big": bytes(8 * MiB)}, size=8 * MiB)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_the_hosts_fault(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"cannot make .*No such file or directory"):
        build_disk(tmp_path / "nope" / "disk.img", {})


def test_a_full_host_is_said_and_leaves_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FatVolume, "build", full)
    with pytest.raises(HostError, match=f"no space left in {tmp_path}") as caught:
        build_disk(tmp_path / "disk.img", FILES)
    assert caught.value.next_step == f"free space in {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_a_limit_of_the_host_is_said_and_leaves_no_image(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ubtest.media.disk import build_disk\n"
        "build_disk(Path(sys.argv[1]), {})"
    )
    limited = ["prlimit", f"--fsize={MiB}", sys.executable, "-c", script]
    with pytest.raises(HostError, match=r"host: cannot make .*disk.img: File too large"):
        run([*limited, tmp_path / "disk.img"])
    assert list(tmp_path.iterdir()) == []
