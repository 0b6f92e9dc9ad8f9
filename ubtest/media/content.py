"""What an image holds, kept and compared without the zeros between."""

import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
ZEROS = bytes(BLOCK)


@dataclass(frozen=True)
class Content:
    """All bytes of an image; two are equal when every byte is.

    :param size: bytes of the image.
    :param blocks: offset -> a block of 4 KiB (the last may be shorter), each that is not all zero.
    """

    size: int
    blocks: Mapping[int, bytes]

    @classmethod
    def of(cls, data: bytes) -> "Content":
        return cls(len(data), dict(_not_zero(0, data)))

    @classmethod
    def read(cls, path: Path) -> "Content":
        """A file's content; its holes are zeros, and the file system knows where they are."""
        blocks: dict[int, bytes] = {}
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for start, stop in _extents(file.fileno(), size):
                blocks.update(_not_zero(start, os.pread(file.fileno(), stop - start, start)))
        return cls(size, blocks)

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return self[:]

    def __getitem__(self, where: slice) -> bytes:
        """The bytes of a range, as of a bytes object."""
        start, stop, step = where.indices(self.size)
        first = start // BLOCK * BLOCK
        offsets = range(first, max(first, stop), BLOCK)
        whole = b"".join(self._block(offset) for offset in offsets)
        return whole[start - first : max(start, stop) - first][::step]

    def written(self, offset: int, data: bytes) -> "Content":
        """The same with other bytes at an offset.

        :raises ValueError: they reach beyond the end.
        """
        end = offset + len(data)
        if not 0 <= offset <= end <= self.size:
            raise ValueError(f"{len(data)} bytes at {offset:#x} of {self.size:#x}")
        first, last = offset // BLOCK * BLOCK, min(-(-end // BLOCK) * BLOCK, self.size)
        piece = self[first:offset] + data + self[end:last]
        kept = {at: block for at, block in self.blocks.items() if not first <= at < last}
        return Content(self.size, {**kept, **dict(_not_zero(first, piece))})

    def changes(self, after: "Content") -> list[range]:
        """The ranges of bytes that differ, one a block, joined where they touch.

        :raises ValueError: they differ in size.
        """
        if self.size != after.size:
            raise ValueError(f"two images of {self.size} and {after.size} bytes")
        found: list[range] = []
        for at in sorted(self.blocks.keys() | after.blocks.keys()):
            old, new = self._block(at), after._block(at)
            if old == new:
                continue
            different = [at + i for i in range(len(old)) if old[i] != new[i]]
            start, stop = different[0], different[-1] + 1
            if found and found[-1].stop == start:
                start = found.pop().start
            found.append(range(start, stop))
        return found

    def _block(self, offset: int) -> bytes:
        return self.blocks.get(offset) or ZEROS[: self.size - offset]


def _not_zero(start: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The blocks of a piece that starts on a block, by their offset in the whole."""
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        if block != ZEROS[: len(block)]:
            yield start + at, block


def _extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Where a file is not a hole, in whole blocks that rise and do not overlap."""
    stop = 0
    while stop < size:
        try:
            start = os.lseek(file, stop, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # there is nothing but a hole up to the end
                return
            raise
        end = os.lseek(file, start, os.SEEK_HOLE)
        first = max(stop, start // BLOCK * BLOCK)
        stop = min(-(-end // BLOCK) * BLOCK, size)
        yield first, stop
