"""What was typed at a prompt and what came back, as a report quotes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from ubtest.repro.continuation import continued, is_continued
from ubtest.repro.message import Evidence, Kind, Line, Message, Part, evidence_of
from ubtest.repro.prompt import (
    Prompt,
    Side,
    Typed,
    is_of_host,
    is_of_target,
    name_of,
    side_of,
    typed,
)
from ubtest.repro.prose import is_prose

__all__ = ["Exchange", "Prompt", "Side", "Transcript", "transcripts_of"]

_LOG = re.compile(  # what firmware, kernel and QEMU print at the start of a line
    r"\s{0,16}(?:U-Boot (?:SPL |TPL )?20\d\d\.|\[ {0,6}\d{1,6}\.\d{6}\] |NOTICE:  |INFO:    "
    r"|EFI stub: |\"Synchronous Abort\" handler|### ERROR ###|qemu-system-\w+: "
    r"|Hit any key to stop|DRAM: "
    r"|starting USB\.\.\.|Scanning (?:bus|disk) |resetting \.\.\.|Unhandled Exception|elr: 0)"
)
_OF_A_MAIL = re.compile(  # what follows an empty line, and no machine printed
    r"(?:[A-Z][a-z]+-(?:[a-z]+-)?by|Link|Fixes|Closes|Cc): |CONFIG_\w+=|# CONFIG_\w+ is not set"
    r"|https?://|\w+_defconfig\b|[A-Z][A-Za-z ]{1,40}:$"
)
_LOG_FILE = re.compile(r".*\.(?:log|out|txt)", re.IGNORECASE)


@dataclass(frozen=True)
class Exchange:
    """One command and its output.

    :param shown: the prompt as the report has it, "Marvell>>".
    :param command: empty for output before the first prompt.
    """

    prompt: Prompt
    side: Side
    shown: str
    command: str
    output: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True)
class Transcript:
    """Exchanges that stand together, without prose between them.

    :param last: the number of its last line.
    """

    exchanges: tuple[Exchange, ...]
    last: int = 0


def transcripts_of(messages: list[Message]) -> list[Transcript]:
    """All transcripts; one that only repeats, quoted, what an earlier mail has is left out."""
    found: list[Transcript] = []
    known: set[str] = set()
    for message in messages:
        for part in message.parts:
            for depth, transcript in _of_part(message, part):
                said = {each.command or each.output[0] for each in transcript.exchanges}
                if depth and message.number > 1 and said <= known:
                    continue
                known |= said
                found.append(transcript)
    return found


def _of_part(message: Message, part: Part) -> Iterator[tuple[int, Transcript]]:
    names = _Names.of(part)
    for (depth, kind), run in groupby(part.lines, key=lambda line: (line.depth, line.kind)):
        if kind is not Kind.TEXT:
            continue
        reader = _Reader(message, part, names)
        for line in run:
            reader.take(line)
        reader.end()
        for transcript in reader.transcripts:
            yield depth, transcript


@dataclass(frozen=True)
class _Names:
    """Prompts of a part that leave no doubt, and whose they are."""

    sure: frozenset[str]
    target: frozenset[str]
    host: frozenset[str]

    @classmethod
    def of(cls, part: Part) -> "_Names":
        lines = [line for line in map(typed, (each.text for each in part.lines)) if line]
        sure = {line.shown for line in lines if line.sure}
        named = [(name_of(line.shown), line.command) for line in lines]
        target = {name for name, command in named if name and is_of_target(command)}
        host = {name for name, command in named if name and is_of_host(command)} - target
        return cls(frozenset(sure), frozenset(target), frozenset(host))


@dataclass
class _Open:
    """An exchange that may still get output."""

    typed: Typed | None
    evidence: Evidence
    command: str = ""
    output: list[str] = field(default_factory=list)
    blanks: int = 0

    @property
    def indent(self) -> int:
        return self.typed.indent if self.typed else 0


class _Reader:
    """Takes lines of one depth, one after the other."""

    def __init__(self, message: Message, part: Part, names: _Names) -> None:
        self.transcripts: list[Transcript] = []
        self._message = message
        self._part = part
        self._names = names
        self._is_log = bool(_LOG_FILE.fullmatch(part.name))
        self._exchanges: list[Exchange] = []
        self._open: _Open | None = None
        self._last = 0

    def take(self, line: Line) -> None:
        if self._goes_on(line):
            return
        prompt = typed(line.text)
        if prompt and self._is_prompt(prompt):
            self._close()
            self._open = _Open(prompt, evidence_of(self._message, self._part, line), prompt.command)
            self._last = line.number
        elif self._open is None:
            if _LOG.match(line.text) or (self._is_log and line.text):
                self._open = _Open(None, evidence_of(self._message, self._part, line))
                self._output(line)
        elif not line.text:
            self._open.blanks += 1
        elif self._is_output(line.text):
            self._output(line)
        else:
            self.end()

    def end(self) -> None:
        """What follows is no part of this transcript."""
        self._close()
        if self._exchanges:
            self.transcripts.append(Transcript(tuple(self._exchanges), self._last))
            self._exchanges.clear()

    def _goes_on(self, line: Line) -> bool:
        """Whether this is the next line of a command whose last line ends with a backslash."""
        if not self._open or self._open.output or not is_continued(self._open.command):
            return False
        self._open.command = continued(self._open.command, line.text)
        self._last = line.number
        return True

    def _is_prompt(self, prompt: Typed) -> bool:
        if prompt.command.startswith("CONFIG_") and prompt.shown == "#":
            return False
        known = prompt.shown in self._names.sure
        if not prompt.command:
            return known or (prompt.shown == "=>" and self._open is not None)
        return prompt.sure or (known and self._open is not None)

    def _is_output(self, text: str) -> bool:
        """Whether a line belongs to the command before it, and is not prose again."""
        assert self._open is not None
        if self._is_log:
            return True
        indent = len(text) - len(text.lstrip(" "))
        if self._open.indent >= 2 and indent < self._open.indent:
            return False
        return not (self._open.blanks and (is_prose(text) or _OF_A_MAIL.match(text)))

    def _output(self, line: Line) -> None:
        assert self._open is not None
        self._open.output += [""] * self._open.blanks
        self._open.blanks = 0
        indent = self._open.indent
        text = line.text
        self._open.output.append(text[indent:] if not text[:indent].strip() else text)
        self._last = line.number

    def _close(self) -> None:
        """The command's output is complete."""
        done, self._open = self._open, None
        if done is None or not (done.command or (done.output and not done.typed)):
            return
        if done.typed is None:
            prompt, side, shown = Prompt.UNKNOWN, Side.TARGET, ""
        else:
            prompt, shown = done.typed.prompt, done.typed.shown
            side = side_of(done.typed, self._names.target, self._names.host)
        output = tuple(done.output)
        self._exchanges.append(Exchange(prompt, side, shown, done.command, output, done.evidence))
