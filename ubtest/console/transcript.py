"""What went over the console, both ways, with times: kept for every test."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ubtest.errors import CaseError, writing

_LINE = re.compile(r"\[ *\d+\.\d{3}\] (?P<mark>[<>#]) (?P<text>.*)")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|([rt\\]))")
_CARRIAGE_RETURN = re.compile(r"(?<!\\)((?:\\\\)*)\\r\Z")  # an escaped one, not the text "\r"
_SHORT = {"\r": "\\r", "\t": "\\t"}
_LONG = {"r": b"\r", "t": b"\t", "\\": b"\\"}


class Transcript:
    """Records both directions of a console into memory and, while a test runs, into a file.

    A line of the file is ``[seconds] mark text``; the mark is ``<`` for what the board sent, ``>``
    for what we sent and ``#`` for a note. A line that had no end yet when the other side spoke
    ends in a backslash. Bytes that would act on a terminal are shown escaped, so a transcript is
    safe to print; :func:`received_bytes` gets them back.
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
        for piece in _logged(data).splitlines(keepends=True):
            if not self._line:
                self._since = time.monotonic() - self._start
            self._line += piece
            if piece.endswith("\n"):
                self._flush()

    def _flush(self) -> None:
        if self._line and self._file is not None:
            whole = self._line.endswith("\n")
            text = self._line.removesuffix("\n")
            text = _CARRIAGE_RETURN.sub(r"\1", text) if whole else text + "\\"
            self._file.write(f"[{self._since:9.3f}] {self._mark} {text}\n")
            self._file.flush()
        self._line = ""


def received_bytes(log: Path) -> bytes:
    """What the board sent, from a saved log; every line ends as a terminal wants it.

    :raises CaseError: the file is not such a log, or cannot be read.
    """
    sent = []
    try:
        for line in log.read_text(encoding="utf-8").split("\n")[:-1]:
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValueError(f"not a line of a transcript: {line[:60]!r}")
            if found["mark"] == "<":
                sent.append(_unlogged(found["text"]))
    except (OSError, ValueError) as error:
        raise CaseError(
            f"cannot read {log}: {error}", next_step="name the console.log of a test"
        ) from error
    return b"".join(sent)


def _logged(data: bytes) -> str:
    """As :func:`printable`, but so that the bytes can be had back."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join(map(_shown, text, text[1:] + "\0"))


def _shown(char: str, following: str) -> str:
    """A backslash is doubled where it would look like the start of an escaped byte, or is last."""
    if char == "\\" and (following in "xrt\\" or not following.isprintable()):
        return "\\\\"
    return char if char == "\n" or char.isprintable() else _bytewise(char)


def _bytewise(char: str) -> str:
    data = char.encode("utf-8", "surrogateescape")
    return _SHORT.get(char) or "".join(f"\\x{byte:02x}" for byte in data)


def _unlogged(text: str) -> bytes:
    """The bytes of one line of a log, with the end that the line had."""
    text, end = (text[:-1], b"") if _unfinished(text) else (text, b"\r\n")
    pieces, start = [], 0
    for found in _ESCAPED.finditer(text):
        byte, short = found.groups()
        pieces += [text[start : found.start()].encode(), _LONG.get(short) or bytes.fromhex(byte)]
        start = found.end()
    return b"".join([*pieces, text[start:].encode(), end])


def _unfinished(text: str) -> bool:
    """An even number of backslashes at the end is text."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def printable(data: bytes) -> str:
    """Text with every byte or character that is not printable escaped, newlines kept."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c == "\n" or c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
