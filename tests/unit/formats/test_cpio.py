"""initramfs archives; Debian's cpio gives the second opinion."""

import stat
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.cpio import Entry, pack, parse
from ubtest.formats.record import FormatError
from ubtest.run import run

TREE = [
    Entry("init", b"#!/bin/sh\n", 0o755),
    Entry("bin/busybox", b"\x7fELF" * 1000, 0o755),
    Entry.link("bin/sh", "busybox"),
    Entry.folder("empty"),
    Entry("a/b/c", b""),
]
NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..", "TRAILER!!!"))
FILES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=40), st.integers(0, 0o7777)))


@given(FILES, st.randoms())
def test_what_is_packed_is_parsed_whatever_the_order(
    files: dict[str, tuple[bytes, int]], random: Random
) -> None:
    entries = [Entry(name, content, mode) for name, (content, mode) in files.items()]
    packed = pack(entries)
    found = {entry.path: (entry.content, stat.S_IMODE(entry.mode)) for entry in parse(packed)}
    assert found == files
    random.shuffle(entries)
    assert pack(entries) == packed


def test_folders_come_before_what_is_in_them() -> None:
    paths = [entry.path for entry in parse(pack(TREE))]
    assert paths == ["a", "a/b", "a/b/c", "bin", "bin/busybox", "bin/sh", "empty", "init"]


def test_debians_cpio_unpacks_the_same(tmp_path: Path) -> None:
    run(["cpio", "-idm", "--quiet", "--no-preserve-owner"], cwd=tmp_path, stdin=pack(TREE))
    assert (tmp_path / "bin" / "busybox").read_bytes() == b"\x7fELF" * 1000
    assert (tmp_path / "bin" / "sh").readlink() == Path("busybox")
    assert (tmp_path / "init").stat().st_mode == stat.S_IFREG | 0o755
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize("path", ["/init", "a//b", "../x", "a/./b", "", "a\0b", "TRAILER!!!", "a/"])
def test_a_path_that_the_kernel_would_misread_is_refused(path: str) -> None:
    with pytest.raises(FormatError, match="is no path"):
        pack([Entry(path)])


def test_two_files_of_one_name_and_a_file_below_a_file_are_refused() -> None:
    with pytest.raises(FormatError, match="twice"):
        pack([Entry("a"), Entry("a")])
    with pytest.raises(FormatError, match="which is no folder"):
        pack([Entry("a"), Entry("a/b")])


def test_a_mode_of_more_than_sixteen_bits_is_refused() -> None:
    with pytest.raises(FormatError, match="mode"):
        pack([Entry("a", mode=0o1000000)])


@given(st.integers(0, len(pack(TREE)) - 1))
def test_an_archive_cut_short_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        parse(pack(TREE)[:length])


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse(data)


def test_a_size_beyond_the_archive_is_refused() -> None:
    packed = bytearray(pack([Entry("a", b"text")]))
    packed[54:62] = b"ffffffff"
    with pytest.raises(FormatError, match="ends after the archive"):
        parse(bytes(packed))
