"""Commands that stand in a report with or without a prompt, continued lines put together."""

import re
from collections.abc import Iterator

from ubtest.repro.continuation import continued, is_continued
from ubtest.repro.message import Evidence, Kind, Line, Message, evidence_of
from ubtest.repro.prompt import QEMU, is_of_host, typed, word_of
from ubtest.repro.prose import is_prose
from ubtest.repro.transcript import Side, Transcript

_MAKE = re.compile(
    r"(?:\w+=\S+ )*make(?:$| -| \w+=| \w*(?:config|all|clean|image|dtbs)\b| \S+\.\w+$)"
)


def bare_commands(messages: list[Message]) -> Iterator[tuple[str, Evidence]]:
    """Commands of the host without a prompt: indented, or the start of QEMU."""
    for message, part in ((each, part) for each in messages for part in each.parts):
        lines = iter(part.lines)
        for line in lines:
            if line.kind is Kind.TEXT and _is_bare_command(line.text):
                yield _whole(line, lines), evidence_of(message, part, line)


def _whole(line: Line, following: Iterator[Line]) -> str:
    """The command of a line, with those that follow and in which it goes on."""
    command = line.text.strip()
    while is_continued(command) and (after := next(following, None)):
        command = continued(command, after.text)
    return command


def host_commands(transcripts: list[Transcript]) -> Iterator[tuple[str, Evidence]]:
    """What was typed at a prompt of the host."""
    for transcript in transcripts:
        for exchange in transcript.exchanges:
            if exchange.side is Side.HOST:
                yield exchange.command, exchange.evidence


def _is_bare_command(text: str) -> bool:
    command = text.strip()
    if typed(text) or not is_of_host(command):
        return False
    if QEMU.fullmatch(word_of(command)):
        return " -" in command or command.endswith("\\")
    if word_of(command) == "make":
        return bool(_MAKE.match(command))
    return text.startswith("  ") and not is_prose(command)
