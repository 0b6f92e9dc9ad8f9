"""FAT16 as bytes; what mtools and fsck.fat think of it is in tests/unit/media."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.fat import File, fat_volume
from ubtest.formats.fat_layout import HIDDEN, READ_ONLY, BootSector, FolderEntry, Geometry
from ubtest.formats.fatname import LongNamePart, long_name, short_names
from ubtest.formats.record import FormatError

MiB = 2048  # sectors


def volume(files: dict[str, bytes], sectors: int = 16 * MiB) -> dict[int, bytes]:
    return dict(fat_volume(files, sectors, label="ESP", serial=0x12345678, hidden_sectors=2048))


def test_a_boot_sector_is_what_the_specification_says() -> None:
    assert volume({})[0][:62] == bytes.fromhex(
        # jump, "UBTEST  ", 512 bytes, 1 sector a cluster, 1 reserved, 2 FATs, 512 root entries
        "eb3c90 5542544553542020 0002 01 0100 02 0002"
        # 32768 sectors, fixed disk, 129 sectors a FAT, 32 by 64, 2048 hidden, not above 65535
        "0080 f8 8100 2000 4000 00080000 00000000"
        # drive, -, extended, serial, "ESP        ", "FAT16   "
        "80 00 29 78563412 4553502020202020202020 4641543136202020"
    )
    assert volume({})[0][-2:] == b"\x55\xaa"
    assert len(volume({})[0]) == 512


def test_a_file_is_one_entry_one_chain_and_one_piece() -> None:
    pieces = volume({"BOOT.EFI": b"x" * 1025})
    root = pieces[(1 + 2 * 129) * 512]
    assert root[32:] == bytes.fromhex(
        # "BOOT    EFI", archive, -, no times, 2000-01-01 thrice, cluster 2, 1025 bytes
        "424f4f5420202020454649 20 00 00 0000 2128 2128 0000 0000 2128 0200 01040000"
    )
    fat = bytes.fromhex("f8ff ffff 0300 0400 ffff")
    assert pieces[512] == pieces[130 * 512] == fat
    assert pieces[(1 + 2 * 129 + 32) * 512] == b"x" * 1025


def test_folders_know_themselves_and_their_parent() -> None:
    pieces = volume({"A/B/C": b""})
    data = (1 + 2 * 129 + 32) * 512
    outer = [FolderEntry.parse(pieces[data], at) for at in (0, 32, 64)]
    inner = [FolderEntry.parse(pieces[data + 512], at) for at in (0, 32, 64)]
    assert [(each.name.rstrip(), each.cluster) for each in outer] == [
        (b".", 2), (b"..", 0), (b"B", 3)
    ]  # fmt: skip
    assert [(each.name.rstrip(), each.cluster) for each in inner] == [
        (b".", 3), (b"..", 2), (b"C", 0)
    ]  # fmt: skip


def test_a_long_name_stands_in_front_of_its_short_one() -> None:
    (short,) = short_names(["a long.name"]).values()
    assert short == b"ALONG~1 NAM"
    (part,) = long_name("a long.name", short)
    assert part.pack() == bytes.fromhex(
        "41 6100 2000 6c00 6f00 6e00 0f 00 61 6700 2e00 6e00 6100 6d00 6500 0000 0000 ffff"
    )


def test_long_names_are_stored_last_part_first() -> None:
    parts = long_name("x" * 13 + "y" * 13, b"XXXXXX~1   ")
    assert [part.order for part in parts] == [0x42, 1]
    assert [part.name1[:1] for part in parts] == [b"y", b"x"]
    assert LongNamePart.size() == FolderEntry.size() == 32


def test_a_long_name_is_utf_16() -> None:
    (short,) = short_names(["ü更🚀.cap"]).values()
    assert short == b"___~1   CAP"
    (part,) = long_name("ü更🚀.cap", short)
    assert part.pack() == bytes.fromhex(
        "41 fc00 f466 3dd8 80de 2e00 0f 00 6c 6300 6100 7000 0000 ffff ffff 0000 ffff ffff"
    )


@pytest.mark.parametrize("length", [12, 13, 14, 26, 254, 255])
def test_a_long_name_is_filled_up_with_ones(length: int) -> None:
    parts = long_name("ä" * length, b"_______~1  ")[::-1]
    raw = b"".join(part.name1 + part.name2 + part.name3 for part in parts)
    whole = len(raw) == 2 * length
    assert raw[: 2 * length].decode("utf-16-le") == "ä" * length
    assert raw[2 * length :].strip(b"\xff") == (b"" if whole else b"\0\0")
    assert len(parts) == -(-length // 13)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("straße", b"STRA_E~1   "),
        ("ﬁrmware", b"_RMWAR~1   "),
        ("k\u0131rm\u0131z\u0131.cap", b"K_RM_Z~1CAP"),
        ("更新.カプセル", b"__~1    ___"),
        ("a.ü", b"A~1     _  "),
    ],
)
def test_letters_that_fold_into_ascii_are_not_ascii(name: str, short: bytes) -> None:
    assert short_names([name]) == {name: short}


def test_short_names_count_past_nine_in_eight_letters() -> None:
    found = short_names([f"capsule number {letter}.cap" for letter in "abcdefghijk"])
    assert [found[name] for name in sorted(found)][-3:] == [
        b"CAPSUL~9CAP", b"CAPSU~10CAP", b"CAPSU~11CAP"
    ]  # fmt: skip


def test_a_file_can_have_attributes() -> None:
    root = volume({"X": File(b"1", READ_ONLY | HIDDEN)})[(1 + 2 * 129) * 512]
    entry = FolderEntry.parse(root, 32)
    assert (entry.name, entry.attributes, entry.length) == (b"X".ljust(11), 0x03, 1)


@pytest.mark.parametrize("name", ["BOOTAA64.EFI", "EFI", "A", "$X~1.-_", "12345678.123"])
def test_names_that_are_short_already_have_no_long_one(name: str) -> None:
    assert long_name(name, short_names([name])[name]) == ()


def test_short_names_do_not_depend_on_the_order_and_leave_real_ones_alone() -> None:
    names = ["LONGFI~1.TXT", "longfile-two.txt", "longfile-one.txt", ".hidden", "+.+"]
    expected = {
        "LONGFI~1.TXT": b"LONGFI~1TXT",
        "longfile-one.txt": b"LONGFI~2TXT",
        "longfile-two.txt": b"LONGFI~3TXT",
        ".hidden": b"HIDDEN~1   ",
        "+.+": b"_~1     _  ",
    }
    assert short_names(names) == short_names(names[::-1]) == expected


@given(st.sets(st.text("ABab +.[~1", min_size=1, max_size=12), max_size=20))
def test_short_names_are_unique(names: set[str]) -> None:
    distinct = {name.lower(): name for name in names if not name.endswith((".", " "))}
    found = short_names(list(distinct.values()))
    assert len(set(found.values())) == len(found) == len(distinct)
    assert {len(short) for short in found.values()} <= {11}


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
        "a\\b",
        "a\x7f",
        "\ud83d",
        "\udc80",
        "\uffff",
        "ü.",
        "x.",
        "x ",
        "a\n",
    ],
)
def test_what_fat_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match="is not a path on FAT"):
        volume({name: b""})


@pytest.mark.parametrize("longest", ["x" * 255, "ü" * 255, "🚀" * 127 + "x"])
def test_a_name_has_at_most_255_units(longest: str) -> None:
    volume({longest: b""})
    with pytest.raises(FormatError, match="is not a path on FAT"):
        volume({longest + "x": b""})


@pytest.mark.parametrize("names", [("a", "A"), ("ä", "Ä"), ("EFI", "efi/x"), ("EFI/x", "efi/y")])
def test_two_names_that_are_one_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(FormatError, match="are one name on FAT"):
        volume(dict.fromkeys(names, b""))


def test_a_file_cannot_be_a_folder_too() -> None:
    with pytest.raises(FormatError, match="'x' is a file and a folder"):
        volume({"x": b"", "x/y": b""})


def test_a_volume_can_be_full_to_the_last_cluster() -> None:
    room = Geometry.of(4 * MiB).clusters * 512
    volume({"BIG": bytes(room)}, 4 * MiB)
    with pytest.raises(FormatError, match="do not fit"):
        volume({"BIG": bytes(room + 1)}, 4 * MiB)


def test_the_root_has_a_fixed_number_of_entries() -> None:
    volume({f"F{number}": b"" for number in range(511)})
    with pytest.raises(FormatError, match="root holds 512"):
        volume({f"F{number}": b"" for number in range(512)})


@given(st.integers(4 * MiB + 400, 2047 * MiB))
def test_every_size_is_fat16_and_the_fat_covers_it(sectors: int) -> None:
    geometry = Geometry.of(sectors)
    assert 4085 <= geometry.clusters < 65525
    assert (geometry.clusters + 2) * 2 <= geometry.fat_sectors * 512
    boot = BootSector.parse(geometry.boot_sector(b"LABEL      ", 0, 0))
    assert boot.sectors_16 + boot.sectors_32 == sectors


@pytest.mark.parametrize("sectors", [0, 2 * MiB, 2049 * MiB])
def test_sizes_that_fat16_cannot_have_are_refused(sectors: int) -> None:
    with pytest.raises(FormatError, match="too few or too many"):
        volume({}, sectors)
