"""FAT file systems; mtools reads what we wrote, and fsck.fat gives the second opinion."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.errors import CaseError, HostError
from ubtest.formats.fat import File
from ubtest.formats.fat_layout import HIDDEN, READ_ONLY, SYSTEM, VOLUME_LABEL
from ubtest.media.fat import FatVolume
from ubtest.run import run

MiB = 1 << 20


def volume(
    folder: Path, files: dict[str, bytes], size: int = 16 * MiB, offset: int = 0
) -> FatVolume:
    image = folder / "fat.img"
    with image.open("wb") as file:
        file.truncate(offset + size)
    fat = FatVolume(image, offset)
    fat.build(files, size // 512, label="TEST", serial=0xCAFE0001)
    return fat


@pytest.mark.parametrize("size", [4, 17, 40, 100, 300, 2000])
def test_every_size_is_a_clean_file_system(tmp_path: Path, size: int) -> None:
    fat = volume(tmp_path, {"EFI/BOOT/BOOTAA64.EFI": b"x" * 5000}, size * MiB)
    run(["fsck.fat", "-n", fat.image])
    shown = run(["minfo", "-i", fat.image, "::"]).text
    assert 'disk type="FAT16   "' in shown
    assert "serial number: CAFE0001" in shown
    assert fat.read("EFI/BOOT/BOOTAA64.EFI") == b"x" * 5000


def test_names_that_others_could_confuse(tmp_path: Path) -> None:
    files = {
        "a[1].cap": b"bracket",
        "a1.cap": b"plain",
        "A long file name with spaces.and.dots": b"long",
        "EFI/x": b"shallow",
        "EFI/A/x": b"deep",
        "EFI/b": b"between",
        "EFI/c/d/e/f/g": b"deeper",
        "EFI/-": b"not standard input",
        "-o": b"an option",
        "+~": b"half a short name",
        "$HOME;`x`'": b"a shell's",
        "x" * 255: b"longest",
        "empty": b"",
    }
    fat = volume(tmp_path, files)
    assert fat.listing() == sorted(files)
    assert {name: fat.read(name) for name in files} == files
    run(["fsck.fat", "-n", fat.image])


ESCAPED = re.compile(r":([0-9A-Za-z+-])([0-9A-Za-z+-])([0-9A-Za-z+-])")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"


def names_for_fsck(fat: FatVolume) -> set[str]:
    """What fsck.fat calls the entries; it shows a unit that is no letter as three digits."""
    said = run(["fsck.fat", "-n", "-l", fat.image], env={"LC_ALL": "C.UTF-8"}).text
    lines = [line for line in said.split("\n") if line.startswith("Checking file /")]
    names = [re.sub(r" \(\S{1,12}\)$", "", line.removeprefix("Checking file /")) for line in lines]

    def unit(match: re.Match[str]) -> str:
        high, middle, low = (DIGITS.index(digit) for digit in match.groups())
        return chr(high << 12 | middle << 6 | low)

    shown = (ESCAPED.sub(unit, name).encode("utf-16", "surrogatepass") for name in names)
    return {name.decode("utf-16") for name in shown}


FOREIGN = {
    "für München.cap": b"umlauts",
    "更新カプセル.cap": b"Japanese",
    "обновление": b"Cyrillic",
    "e\u0301.cap": b"combined",
    "ﬁ\u2028\u0085\u202e.cap": b"ligature, line ends, direction",
    "Ā" * 255: b"longest",
}
OUTSIDE = {"🚀.cap": b"one", "[🚀]🛰\U0010ffff/x": b"some", "🛰" * 127 + "y": b"longest"}


def test_names_may_be_in_any_script(tmp_path: Path) -> None:
    fat = volume(tmp_path, FOREIGN)
    assert fat.listing() == sorted(FOREIGN)
    assert {name: fat.read(name) for name in FOREIGN} == FOREIGN
    assert names_for_fsck(fat) >= FOREIGN.keys()


def test_names_may_have_letters_outside_of_the_basic_plane(tmp_path: Path) -> None:
    fat = volume(tmp_path, OUTSIDE)
    assert names_for_fsck(fat) >= OUTSIDE.keys()
    assert fat.listing() == sorted(["__.cap", "[__]____/x", "__" * 127 + "y"])
    with pytest.raises(CaseError, match="cannot be read"):
        fat.read("🚀.cap")


def test_short_names_are_found_by_others(tmp_path: Path) -> None:
    fat = volume(tmp_path, {**FOREIGN, **OUTSIDE})
    for short, content in {
        "F_RM_N~1.CAP": b"umlauts",
        "______~1.CAP": b"Japanese",
        "_~1.CAP": b"one",
        "______~2": b"Cyrillic",
        "______~3": b"longest",
    }.items():
        assert run(["mtype", "-i", fat.image, f"::/{short}"]).stdout == content


def test_attributes_are_what_others_see(tmp_path: Path) -> None:
    files = {
        "locked": File(b"1", READ_ONLY),
        "hidden one": File(b"2", HIDDEN | SYSTEM),
        "LABEL": File(b"", VOLUME_LABEL),
    }
    fat = volume(tmp_path, files)
    assert run(["mattrib", "-i", fat.image, "::/locked"]).text.split() == ["R", "::/locked"]
    assert run(["mattrib", "-i", fat.image, "::/hidden one"]).text[:10].split() == ["SH"]
    assert fat.listing() == ["hidden one", "locked"]
    assert fat.read("hidden one") == b"2"


def test_what_is_not_there_reads_as_none(tmp_path: Path) -> None:
    assert volume(tmp_path, {}).listing() == []
    fat = volume(tmp_path, {"EFI/x": b"1"})
    assert fat.read("nope") is None
    assert fat.read("nope/x") is None
    assert fat.read("EFI") is None


def test_case_does_not_matter_when_reading(tmp_path: Path) -> None:
    fat = volume(tmp_path, {"EFI/Boot/x.efi": b"", "EFI/Boot/y.efi": b"y"})
    assert fat.read("efi/boot/X.EFI") == b""
    assert fat.read("efi/boot/Y.EFI") == b"y"


def test_a_folder_can_fill_many_clusters(tmp_path: Path) -> None:
    files = {f"EFI/a file with number {number}": bytes([number % 256]) for number in range(300)}
    fat = volume(tmp_path, files)
    assert fat.listing() == sorted(files)
    assert fat.read("EFI/a file with number 299") == b"\x2b"
    run(["fsck.fat", "-n", fat.image])


def test_others_can_add_and_delete(tmp_path: Path) -> None:
    fat = volume(tmp_path, {"EFI/UpdateCapsule/x.cap": b"1" * 5000, "y": b"2"})
    (tmp_path / "ubootefi.var").write_bytes(b"variables")
    run(["mdel", "-i", fat.image, "::/EFI/UpdateCapsule/x.cap"])
    run(["mcopy", "-i", fat.image, tmp_path / "ubootefi.var", "::/"])
    assert fat.listing() == ["ubootefi.var", "y"]
    assert fat.read("ubootefi.var") == b"variables"
    run(["fsck.fat", "-n", fat.image])


@pytest.mark.parametrize("files", [{"a*": b""}, {"a": b"", "A": b""}, {"a": bytes(16 * MiB)}])
def test_what_fat_cannot_hold_is_the_tests_fault(files: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="FAT"):
        volume(tmp_path, files)


def test_what_is_not_fat_is_the_hosts_fault(tmp_path: Path) -> None:
    image = tmp_path / "zero.img"
    image.write_bytes(bytes(MiB))
    with pytest.raises(HostError, match=r"cannot read the FAT file system in .*zero.img"):
        FatVolume(image).read("x")
    with pytest.raises(HostError, match="No such file or directory"):
        FatVolume(tmp_path / "missing").listing()


def test_the_file_system_starts_at_its_offset(tmp_path: Path) -> None:
    fat = volume(tmp_path, {"x": b"1"}, offset=MiB)
    content = fat.image.read_bytes()
    assert not any(content[:MiB])
    (tmp_path / "cut").write_bytes(content[MiB:])
    run(["fsck.fat", "-n", tmp_path / "cut"])


letters = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"*/:<>?\\|\uffff')
foreign = st.text(letters, min_size=1, max_size=40).filter(lambda name: name[-1] not in " .")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.sets(foreign, min_size=1, max_size=5))
def test_every_name_comes_back(names: set[str], tmp_path: Path) -> None:
    files = {name: str(number).encode() for number, name in enumerate(sorted(names))}
    try:
        fat = volume(tmp_path, files)
    except CaseError as error:
        assert "one name on FAT" in error.message
        return
    assert names_for_fsck(fat) - {"TEST"} == names
    assert len(fat.listing()) == len(names)
    basic = [name for name in names if max(name) <= "\uffff"]
    assert {name: fat.read(name) for name in basic} == {name: files[name] for name in basic}


components = st.text("abcDEF XY0_-+{}[]~.'", min_size=1, max_size=30).filter(
    lambda name: name == name.strip(" .")
)
trees = st.dictionaries(
    st.lists(components, min_size=1, max_size=3).map("/".join), st.binary(max_size=3000), max_size=6
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=trees)
def test_every_tree_comes_back(files: dict[str, bytes], tmp_path: Path) -> None:
    try:
        fat = volume(tmp_path, files)
    except CaseError as error:
        assert "one name on FAT" in error.message or "a file and a folder" in error.message
        return
    assert {name: fat.read(name) for name in fat.listing()} == files
    run(["fsck.fat", "-n", fat.image])
