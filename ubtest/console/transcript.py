"""What went over the console, both ways, with times: kept for every test."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ubtest.errors import writing


class Transcript:
    """Records both directions of a console into memory and, while a test runs, into a file.

    A line of the file is ``[seconds] mark text``; the mark is ``<`` for what the board sent, ``>``
    for what we sent and ``#`` for a note. Bytes that would act on a terminal are shown escaped, so
    a transcript is safe to print.
    """

    KEEP = 32 * 1024  # bytes of memory for tail(): several screens, whatever the board floods

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._recent = b""
        self._file: TextIO | None = None
        self._line = ""
        self._mark = ""
        self._since = 0.0

    def received(self, data: bytes) -> None:
        """The board sent these bytes."""
        self._recent = (self._recent + data)[-self.KEEP :]
        self._write("<", data)

    def sent(self, data: bytes) -> None:
        """We sent these bytes."""
        self._write(">", data)

    def note(self, text: str) -> None:
        """Something beside the line happened: power, reset, a disk attached."""
        self._write("#", f"{text}\n".encode())

    def tail(self, lines: int = 20) -> str:
        """The last lines that the board sent, safe to print."""
        text = printable(self._recent.replace(b"\r", b""))
        return "\n".join(text.strip().splitlines()[-lines:])

    @contextmanager
    def recording(self, path: Path) -> Iterator[None]:
        """Write everything that happens in this block into a file; times start at zero."""
        with writing(path), self._open(path) as file:
            self._start, self._recent, self._file = time.monotonic(), b"", file
            try:
                yield
            finally:
                self._flush()
                self._file = None

    @staticmethod
    def _open(path: Path) -> TextIO:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")

    def _write(self, mark: str, data: bytes) -> None:
        if self._file is None:
            return
        if mark != self._mark:
            self._flush()
            self._mark = mark
        for piece in printable(data).splitlines(keepends=True):
            if not self._line:
                self._since = time.monotonic() - self._start
            self._line += piece
            if piece.endswith("\n"):
                self._flush()

    def _flush(self) -> None:
        if self._line and self._file is not None:
            text = self._line.rstrip("\n").removesuffix("\\r")
            self._file.write(f"[{self._since:9.3f}] {self._mark} {text}\n")
            self._file.flush()
        self._line = ""


def printable(data: bytes) -> str:
    """Text with every byte or character that is not printable escaped, newlines kept."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c == "\n" or c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
