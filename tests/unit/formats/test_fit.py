"""FIT images: dtc reads what was meant, byte for byte."""

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.fdt import HEADER_SIZE, MAGIC, flatten
from ubtest.formats.fit import Fit, FitImage
from ubtest.run import run

FIRST = FitImage("fw", b"first image, 3 odd bytes: \x00\xff\x01")
FIT = Fit((FIRST, FitImage("second", bytes(range(256)), load=None, algorithm=None)))


@pytest.fixture
def read(tmp_path: Path):
    """Reads a property with fdtget."""
    path = tmp_path / "fit"

    def read(fit: Fit, node: str, name: str) -> bytes:
        path.write_bytes(fit.pack())
        words = run(["fdtget", "-t", "bx", path, node, name]).text.split()
        return bytes(int(word, 16) for word in words)

    return read


def test_the_data_and_its_hash_are_there(read) -> None:
    assert read(FIT, "/images/fw", "data") == FIRST.data
    assert read(FIT, "/images/fw/hash-1", "value") == hashlib.sha256(FIRST.data).digest()
    assert read(FIT, "/images/fw/hash-1", "algo") == b"sha256\0"
    assert read(FIT, "/images/fw", "type") == b"firmware\0"
    assert read(FIT, "/images/fw", "load") == bytes(4)
    assert read(FIT, "/images/second", "data") == bytes(range(256))
    assert read(FIT, "/", "timestamp") == bytes(4)


def test_what_a_case_sets_is_what_is_written(read) -> None:
    odd = Fit((replace(FIRST, digest=b"wrong", kind="kernel", load=0x80000000),))
    assert read(odd, "/images/fw/hash-1", "value") == b"wrong"
    assert read(odd, "/images/fw", "type") == b"kernel\0"
    assert read(odd, "/images/fw", "load") == b"\x80\0\0\0"


def test_what_is_left_away_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "fit").write_bytes(FIT.pack())
    source = run(["dtc", "-I", "dtb", "-O", "dts", "-q", tmp_path / "fit"]).text
    second = source[source.index("second {") :]
    assert "hash-1" not in second
    assert "load" not in second


def test_dtc_writes_the_same_structure(tmp_path: Path) -> None:
    """It puts the blocks into the same order; only its padding of the whole may differ."""
    made = FIT.pack()
    (tmp_path / "fit").write_bytes(made)
    theirs = run(["dtc", "-I", "dtb", "-O", "dtb", "-q", tmp_path / "fit"]).stdout
    total, at, strings = struct.unpack_from(">3I", made, 4)
    assert theirs[HEADER_SIZE:total] == made[HEADER_SIZE:]
    assert (total, at) == (len(made), HEADER_SIZE + 16)
    assert strings < total


@given(st.dictionaries(st.text("abc", min_size=1), st.binary(), max_size=5))
def test_blocks_are_aligned_and_sizes_true(properties: dict[str, bytes]) -> None:
    wire = flatten({**properties, "node": {}})
    magic, total, tree, strings, _, _, _, _, strings_size, tree_size = struct.unpack_from(
        ">10I", wire
    )
    assert (magic, total) == (MAGIC, len(wire))
    assert tree % 4 == tree_size % 4 == 0
    assert (tree + tree_size, strings + strings_size) == (strings, total)
