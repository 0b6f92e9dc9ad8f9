"""Text of a stranger, made safe to show: no control character is left, and no line is endless.

Console logs come with escape sequences, carriage returns, backspaces and the clock of a terminal
program; all that goes. What else cannot be printed is shown as an escape, as `explain` does.
"""

import re
import unicodedata

from ubtest.errors import CaseError
from ubtest.formats.explanation import printable

LONGEST_LINE = 4000  # characters; what is behind them is left out
LINES = 100_000  # of all mails of a file together

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # ECMA-48 control sequences: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings: a window's title
    r"|\x1b[ -/]*[0-~]"
    r"|\^\[\[[0-9;?]*[A-Za-z]"  # as `cat -v` writes them
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_PLAIN = re.compile(r"[ -~]*")  # most lines need none of this
_CLOCK = r"\d\d:\d\d:\d\d"
_DAY = r"\d{4}-\d\d-\d\d"
_STAMP = re.compile(
    rf"\[(?:{_DAY}[T ])?{_CLOCK}(?:[.,]\d{{1,9}})?\] ?"
    rf"|{_DAY}[T ]{_CLOCK}(?:[.,]\d{{1,9}})?Z?:? "
    rf"|{_CLOCK}[.,]\d{{3,9}}:? "
    rf"|[A-Z][a-z]{{2}} [ \d]\d {_CLOCK} "
)


def shown(text: str) -> str:
    """One line of text, without anything that moves a terminal's cursor or hides in the line."""
    text = text[:LONGEST_LINE]
    if _PLAIN.fullmatch(text) and "^[" not in text:
        return text.rstrip()
    text = _without_erased(_SEQUENCE.sub("", text)).expandtabs(8).translate(_INVISIBLE)
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text[:LONGEST_LINE])
    return printable(spaced).rstrip()


def physical_lines(text: str) -> list[str]:
    """Lines as they stand, not yet safe to show; a carriage return alone ends one, too.

    :raises CaseError: more than :data:`LINES` of them.
    """
    check_lines(text.count("\n") + text.count("\r"))
    return re.sub(r"\r*\n|\r+", "\n", text).split("\n")


def check_lines(count: int) -> None:
    """:raises CaseError: more lines than a report has."""
    if count > LINES:
        raise CaseError(
            f"a text of more than {LINES} lines is no report",
            next_step="cut out what the report is about, and give that file",
        )


def stamp_of(text: str) -> str:
    """The wall-clock time that a terminal program put in front of a line; empty: there is none.

    The kernel's seconds since boot are the kernel's own output, and stay.
    """
    found = _STAMP.match(text)
    return found[0] if found else ""


def _without_erased(text: str) -> str:
    """What is left on the screen after backspaces."""
    if "\b" not in text:
        return text
    kept: list[str] = []
    for char in text:
        if char != "\b":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)
