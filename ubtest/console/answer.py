"""The answer of a target, put together from numbered lines of which some were torn."""

import base64
import binascii
import gzip
import hashlib
import re
import zlib
from itertools import groupby

WIDTH = 76  # characters of a whole base64 line
_LINE = re.compile(rb"(\d+)\.(\d+):(?:([A-Za-z0-9+/]+={0,2})|(\.))")
_SPEC = 900  # characters in which lines are asked for again


def md5(data: bytes) -> str:
    """As md5sum prints it: what even the smallest busybox has."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Answer:
    """Collects the lines of one answer; a line that is not whole is as good as none.

    :param number: that of the command, which each line carries.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._count: int | None = None
        self._lines: dict[int, bytes] = {}

    def feed(self, line: bytes) -> None:
        """Take a line of the console; what is no line of this answer is left."""
        found = _LINE.fullmatch(line)
        if found is None or int(found[1]) != self._number:
            return
        if found[4]:
            self._count = int(found[2]) - 1
        else:
            self._lines[int(found[2])] = found[3]

    def missing(self) -> str:
        """What to ask for again, in sed's words; empty when all is there."""
        if self._count is None:
            return "$p"
        lacking = [n for n in range(1, self._count + 1) if not self._whole(n, self._count)]
        spec = ""
        # Neighbours have the same distance to their places in the list
        for _, run in groupby(enumerate(lacking), lambda pair: pair[1] - pair[0]):
            numbers = [n for _, n in run]
            spec += f"{numbers[0]},{numbers[-1]}p;"
            if len(spec) > _SPEC:
                break
        return spec

    def _whole(self, n: int, count: int) -> bool:
        size = len(self._lines.get(n, b""))
        return size == WIDTH if n < count else 0 < size <= WIDTH and size % 4 == 0

    def output(self, checksum: str, *, packed: bool) -> bytes | None:
        """The bytes; None when they are not those that the target has, and all is forgotten."""
        try:
            text = b"".join(self._lines[n] for n in range(1, (self._count or 0) + 1))
            data = base64.b64decode(text, validate=True)
            data = gzip.decompress(data) if packed else data
        except (binascii.Error, OSError, EOFError, zlib.error):
            data = None
        if data is None or md5(data) != checksum:
            self._count, self._lines = None, {}
            return None
        return data
