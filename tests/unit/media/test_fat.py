"""FAT file systems through mtools; fsck.fat gives the second opinion."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.errors import CaseError, HostError
from ubtest.media.fat import FatVolume, fat_path
from ubtest.run import run

MiB = 1 << 20


def volume(folder: Path, size: int = 4 * MiB, offset: int = 0) -> FatVolume:
    image = folder / "fat.img"
    with image.open("wb") as file:
        file.truncate(offset + size)
    fat = FatVolume(image, offset)
    fat.format(size // 512, label="TEST", serial=0xCAFE0001)
    return fat


@pytest.mark.parametrize(("size", "kind"), [(4, "FAT12"), (40, "FAT16")])
def test_every_size_is_a_clean_file_system(tmp_path: Path, size: int, kind: str) -> None:
    fat = volume(tmp_path, size * MiB)
    fat.write({"EFI/BOOT/BOOTAA64.EFI": b"x" * 5000})
    run(["fsck.fat", "-n", fat.image])
    assert run(["minfo", "-i", fat.image, "::"]).text.count(kind) == 1
    assert fat.read("EFI/BOOT/BOOTAA64.EFI") == b"x" * 5000


def test_names_that_mtools_or_fat_could_confuse(tmp_path: Path) -> None:
    files = {
        "a{1},(2);=.cap": b"not in a short name",
        "A long file name with spaces.and.dots": b"long",
        "EFI/x": b"shallow",
        "EFI/A/x": b"deep",
        "EFI/b": b"between",
        "EFI/c/d/e/f/g": b"deeper",
        "-o": b"an option",
        "$HOME;`x`'": b"a shell's",
        "empty": b"",
    }
    fat = volume(tmp_path)
    fat.write(files)
    assert fat.listing() == sorted(files)
    assert {name: fat.read(name) for name in files} == files
    run(["fsck.fat", "-n", fat.image])


def test_what_is_not_there_reads_as_none(tmp_path: Path) -> None:
    fat = volume(tmp_path)
    assert fat.listing() == []
    fat.write({"EFI/x": b"1"})
    assert fat.read("nope") is None
    assert fat.read("nope/x") is None
    assert fat.read("EFI") is None


def test_case_does_not_matter_when_reading(tmp_path: Path) -> None:
    fat = volume(tmp_path)
    fat.write({"EFI/Boot/x.efi": b"", "EFI/Boot/y.efi": b"y"})
    assert fat.read("efi/boot/X.EFI") == b""
    assert fat.read("efi/boot/Y.EFI") == b"y"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/x",
        "x/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "a*",
        "a?",
        "a:b",
        "a[1]",
        "+~",
        "a/-",
        "a\\b",
        "ü",
        "x.",
        "x ",
        "a\n",
    ],
)
def test_what_fat_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(CaseError, match="is not a path on FAT"):
        fat_path(name)


@pytest.mark.parametrize("names", [("a", "A"), ("EFI", "efi/x"), ("EFI/x", "efi/y")])
def test_two_names_that_are_one_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="are one name on FAT"):
        volume(tmp_path).write(dict.fromkeys(names, b""))


def test_a_file_cannot_be_a_folder_too(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="'x' is a file and a folder"):
        volume(tmp_path).write({"x": b"", "x/y": b""})


def test_more_than_fits_is_the_tests_fault(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="do not fit"):
        volume(tmp_path).write({"big": bytes(5 * MiB)})


def test_what_is_not_fat_is_the_hosts_fault(tmp_path: Path) -> None:
    image = tmp_path / "zero.img"
    image.write_bytes(bytes(MiB))
    with pytest.raises(HostError, match=r"mdir failed on .*zero.img"):
        FatVolume(image).read("x")
    with pytest.raises(HostError, match="mdir failed on"):
        FatVolume(tmp_path / "missing").listing()


def test_the_file_system_starts_at_its_offset(tmp_path: Path) -> None:
    fat = volume(tmp_path, offset=MiB)
    fat.write({"x": b"1"})
    content = fat.image.read_bytes()
    assert not any(content[:MiB])
    (tmp_path / "cut").write_bytes(content[MiB:])
    run(["fsck.fat", "-n", tmp_path / "cut"])


components = st.text("abcdefgh XY0_-+{}", min_size=1, max_size=14).filter(
    lambda name: name == name.strip() and name != "-"
)
trees = st.dictionaries(
    st.lists(components, min_size=1, max_size=3).map("/".join), st.binary(max_size=3000), max_size=5
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=trees)
def test_every_tree_comes_back(files: dict[str, bytes], tmp_path: Path) -> None:
    fat = volume(tmp_path)
    try:
        fat.write(files)
    except CaseError as error:
        assert "one name on FAT" in error.message or "a file and a folder" in error.message
        return
    assert {name: fat.read(name) for name in fat.listing()} == files


def test_without_room_in_memory_files_are_staged_beside_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fat = volume(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    fat.write({"EFI/x": b"1", "EFI/y": b"2"})
    assert fat.listing() == ["EFI/x", "EFI/y"]
    assert [path.name for path in tmp_path.iterdir()] == ["fat.img"]
