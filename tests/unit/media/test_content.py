"""Image contents without their zeros say the same as the bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.media.content import BLOCK, Content

SIZE = 5 * BLOCK + 100
PIECES = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.binary(min_size=1, max_size=2 * BLOCK)), max_size=4
)


def image(pieces: list[tuple[int, bytes]]) -> bytes:
    data = bytearray(SIZE)
    for offset, piece in pieces:
        data[offset : offset + len(piece)] = piece[: SIZE - offset]
    return bytes(data)


@given(PIECES, st.integers(-SIZE, 2 * SIZE), st.integers(-SIZE, 2 * SIZE))
def test_ranges_are_as_of_bytes(pieces, start, stop):
    data = image(pieces)
    content = Content.of(data)
    assert bytes(content) == data
    assert content[start:stop] == data[start:stop]
    assert len(content) == SIZE


@given(PIECES, PIECES)
def test_equal_when_the_bytes_are(one, other):
    assert (Content.of(image(one)) == Content.of(image(other))) == (image(one) == image(other))


@given(PIECES, st.integers(0, SIZE), st.binary(max_size=2 * BLOCK))
def test_written(pieces, offset, data):
    data = data[: SIZE - offset]
    before = image(pieces)
    after = before[:offset] + data + before[offset + len(data) :]
    assert Content.of(before).written(offset, data) == Content.of(after)


def test_zeros_take_a_block_out():
    assert Content.of(b"x" * BLOCK).written(0, bytes(BLOCK)).blocks == {}


def test_written_beyond_the_end():
    with pytest.raises(ValueError, match="2 bytes at"):
        Content.of(bytes(SIZE)).written(SIZE - 1, b"xx")


def file(path: Path, pieces: list[tuple[int, bytes]], size: int = SIZE) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
        for offset, data in pieces:
            stream.seek(offset)
            stream.write(data)
    return path


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [(0, b"a")],
        [(SIZE - 1, b"z")],
        [(BLOCK, b"x" * BLOCK)],
        [(BLOCK - 1, b"across"), (4 * BLOCK, b"far")],
        [(2 * BLOCK, bytes(BLOCK))],  # zeros that are no hole
        [(0, b"\xff" * SIZE)],
    ],
)
def test_read_from_a_file_with_holes(tmp_path: Path, pieces):
    path = file(tmp_path / "image", pieces)
    assert Content.read(path) == Content.of(path.read_bytes())


def test_only_what_is_not_zero_is_kept(tmp_path: Path):
    content = Content.read(file(tmp_path / "image", [(32 << 20, b"x")], 64 << 20))
    assert content.blocks == {32 << 20: b"x" + bytes(BLOCK - 1)}


@pytest.mark.parametrize(
    ("changed", "ranges"),
    [
        ([], []),
        ([0], [range(0, 1)]),
        ([SIZE - 1], [range(SIZE - 1, SIZE)]),
        ([5, 9], [range(5, 10)]),
        ([BLOCK - 1, BLOCK], [range(BLOCK - 1, BLOCK + 1)]),
        ([BLOCK - 2, BLOCK], [range(BLOCK - 2, BLOCK - 1), range(BLOCK, BLOCK + 1)]),
    ],
)
def test_changes(changed: list[int], ranges: list[range]):
    after = bytearray(SIZE)
    for at in changed:
        after[at] = 1
    before, now = Content.of(bytes(SIZE)), Content.of(bytes(after))
    assert before.changes(now) == now.changes(before) == ranges


def test_changes_of_another_size():
    with pytest.raises(ValueError, match="two images of"):
        Content.of(b"a").changes(Content.of(b"ab"))
