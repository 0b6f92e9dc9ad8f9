"""The terminal that a menu draws on: what stands where, and which line is highlighted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte
from pyte import modes
from pyte.screens import Char

from ubtest.console.transcript import received_bytes

# pyte knows OSC strings only: the others (DCS, SOS, PM, APC; ECMA-48 section 5.6) leak as text
_STRING = re.compile(rb"\x1b[PX^_].*?(?:\x1b\\|\x9c)", re.DOTALL)
_STRING_START = re.compile(rb"\x1b(?:\Z|[PX^_])")
_STRING_MAX = 4096  # bytes after which an unterminated string is given up, as terminals do


@dataclass(frozen=True)
class Page:
    """What a terminal shows at one moment.

    :param rows: the cells of each line; a wide character is followed by a cell without text.
    :param cursor: (line, column) from 0; None while it is hidden.
    """

    rows: tuple[tuple[Char, ...], ...]
    cursor: tuple[int, int] | None = None

    @classmethod
    def of(cls, text: str) -> "Page":
        """The page that :attr:`text` describes, to show what a test expected."""
        lines = [list(_cells(line)) for line in text.split("\n")]
        width = max(len(line) for line in lines)
        blank = Char(" ")
        return cls(tuple((*line, *[blank] * (width - len(line))) for line in lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each line without the blanks at its end."""
        return tuple("".join(cell.data for cell in row).rstrip() for row in self.rows)

    @property
    def text(self) -> str:
        """The lines that are not empty at the end, highlighted text between two bars."""
        return "\n".join(_marked(row) for row in self.rows).rstrip("\n")

    @property
    def highlighted(self) -> str | None:
        """The text in reverse video; None where there is none."""
        return next((text for _, text in self._reversed()), None)

    @property
    def highlighted_row(self) -> int | None:
        """The number, from 0, of the first line with text in reverse video."""
        return next((number for number, _ in self._reversed()), None)

    def _reversed(self) -> Iterator[tuple[int, str]]:
        for number, row in enumerate(self.rows):
            if text := "".join(cell.data for cell in row if cell.reverse).strip():
                yield number, text


class Screen:
    """A terminal of some size, fed with what the board sends."""

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.rows, self.columns = rows, columns
        self._terminal = _Terminal(columns, rows)
        # as a serial terminal is set up for U-Boot: a line feed starts a line
        self._terminal.set_mode(modes.LNM)
        self._stream = pyte.ByteStream(self._terminal)
        self._kept = b""

    @classmethod
    def replay(cls, log: Path, rows: int = 24, columns: int = 80) -> "Screen":
        """The screen at the end of a saved console log.

        :raises CaseError: the log is not one of ours.
        """
        screen = cls(rows, columns)
        screen.feed(received_bytes(log))
        return screen

    def feed(self, data: bytes) -> bytes:
        """Draw what came; an escape sequence may end in the next piece.

        :returns: what the terminal answers, to be sent to the board.
        """
        data = _STRING.sub(b"", self._kept + data)
        start = _STRING_START.search(data)
        held = start.start() if start and len(data) - start.start() < _STRING_MAX else len(data)
        self._kept = data[held:]
        self._stream.feed(data[:held])
        return self._terminal.take_answers()

    @property
    def page(self) -> Page:
        """What is shown now."""
        terminal = self._terminal
        rows = tuple(
            tuple(terminal.buffer[y][x] for x in range(self.columns)) for y in range(self.rows)
        )
        return Page(rows, None if terminal.cursor.hidden else self.cursor)

    @property
    def cursor(self) -> tuple[int, int]:
        """(line, column) from 0, hidden or not; after the last column while a line is full."""
        return self._terminal.cursor.y, self._terminal.cursor.x


class _Terminal(pyte.Screen):
    """pyte's screen, which hands its answers over."""

    def __init__(self, columns: int, lines: int) -> None:
        self._answers = b""
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        self._answers += data.encode()

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        with self._not_reversed():
            super().erase_in_line(how, private)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        with self._not_reversed():
            super().erase_in_display(how, *args, **kwargs)

    @contextmanager
    def _not_reversed(self) -> Iterator[None]:
        """Erased cells take the background's colour, in xterm as on Linux, not reverse video."""
        attributes = self.cursor.attrs
        self.cursor.attrs = attributes._replace(reverse=False)
        try:
            yield
        finally:
            self.cursor.attrs = attributes

    def take_answers(self) -> bytes:
        taken, self._answers = self._answers, b""
        return taken


BAR = "\N{BOX DRAWINGS LIGHT VERTICAL}"


def _marked(row: tuple[Char, ...]) -> str:
    """A line with bars around what is highlighted; blanks at its ends do not count."""
    pieces = []
    inside = False
    for cell in row:
        if cell.reverse is not inside:
            pieces.append(BAR)
            inside = cell.reverse
        pieces.append(cell.data)
    return ("".join(pieces).rstrip() + BAR if inside else "".join(pieces)).rstrip()


def _cells(line: str) -> Iterator[Char]:
    reverse = False
    for char in line:
        if char == BAR:
            reverse = not reverse
        else:
            yield Char(char, reverse=reverse)
