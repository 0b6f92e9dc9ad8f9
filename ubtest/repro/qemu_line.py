"""Command lines of QEMU in a report, as words: nothing of them is run."""

import re
import shlex
from dataclasses import dataclass

from ubtest.repro.message import Evidence
from ubtest.repro.prompt import QEMU

_OPERATORS = frozenset("();<>|&")


@dataclass(frozen=True)
class QemuLine:
    """One command line, continued lines put together.

    :param words: as a shell would split them; the program is the first.
    """

    words: tuple[str, ...]
    evidence: Evidence


def qemu_line(command: str, evidence: Evidence) -> QemuLine | None:
    """The words of a command that starts QEMU; None: it starts something else, or has no options.

    Where a pipe, a redirection or another command begins, the words end. Variables stay as they
    are: "$HOME/x" is a word.
    """
    if "qemu" not in command and "kvm" not in command:
        return None
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
    except ValueError:  # a quote that is not closed
        return None
    start = next((n for n, word in enumerate(words) if QEMU.fullmatch(word)), None)
    if start is None or not all(re.match(r"sudo$|env$|time$|-|\w+=", w) for w in words[:start]):
        return None
    end = next((n for n in range(start, len(words)) if set(words[n]) <= _OPERATORS), len(words))
    chosen = tuple(words[start:end])
    if chosen[-1].isdigit() and end < len(words) and words[end].startswith(">"):
        chosen = chosen[:-1]  # the 2 of `2>&1`
    has_options = any(word.startswith("-") for word in chosen[1:])
    return QemuLine(chosen, evidence) if has_options else None
