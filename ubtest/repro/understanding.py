"""What a report says, each fact with the line that says it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ubtest.repro.behaviour import behaviour_of
from ubtest.repro.boards import boards
from ubtest.repro.commits import commits, fixes
from ubtest.repro.kconfig import kconfig
from ubtest.repro.links import links
from ubtest.repro.message import Evidence, Found, Kind, Line, Message, lines_of
from ubtest.repro.patches import patches
from ubtest.repro.people import reported_by, sender
from ubtest.repro.qemu_line import QemuLine, qemu_line
from ubtest.repro.shell import bare_commands, host_commands
from ubtest.repro.transcript import Transcript, transcripts_of
from ubtest.repro.versions import kernels, versions

_Finder = Callable[[str], Iterable[str]]
_IN_TEXT: dict[str, _Finder] = {
    "versions": versions,
    "kernels": kernels,
    "commits": commits,
    "boards": boards,
    "kconfig": kconfig,
    "fixes": fixes,
    "reported_by": reported_by,
    "links": links,
}
_TECHNICAL = re.compile(
    r"0x[0-9a-fA-F]{3,}|/(?:sys|proc|dev|boot|lib)/\w|\bCONFIG_\w+|\bqemu-system-"
    r"|^\(qemu\) |^\s*=> "
    r"|\berr(?:or|no)?[ =:]+-?\d+|^\s*[#$] \S"
    r"|\b\w[\w/.-]*\.(?:c|h|dts|dtsi|efi|cap|img|bin|dtb)\b"
    r"|^\s{2,}\S.*(?:[=;{}]|: )|\w\(\)|^\s*(?:#include|setenv |bootcmd=)|<[&0-9a-z]\w* 0x"
)
_Place = tuple[int, str, int]  # message, part, line


@dataclass(frozen=True)
class Understanding:
    """All that was found in a report; a fact that stands there twice is here once.

    :param versions: of U-Boot, "2023.01-rc2".
    :param kernels: versions of Linux, "6.1.0".
    :param commits: hashes, as long as the report has them.
    :param boards: defconfigs without "_defconfig", or boards by their name.
    :param kconfig: "CONFIG_CMD_USB=y"; "CONFIG_X=n" for "# CONFIG_X is not set".
    :param shell: commands on the host. They are for the reader, and are never run.
    :param expected: what should happen, in the report's words.
    :param actual: what happens instead.
    :param reported_by: "Name <address>".
    :param fixes: "1b7e469a665 (\"subject\")".
    :param patches: the files that attached or inline patches change.
    :param unknown: lines that look technical and were not understood.
    """

    versions: tuple[Found, ...] = ()
    kernels: tuple[Found, ...] = ()
    commits: tuple[Found, ...] = ()
    boards: tuple[Found, ...] = ()
    kconfig: tuple[Found, ...] = ()
    qemu: tuple[QemuLine, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    shell: tuple[Found, ...] = ()
    expected: tuple[Found, ...] = ()
    actual: tuple[Found, ...] = ()
    reported_by: tuple[Found, ...] = ()
    fixes: tuple[Found, ...] = ()
    links: tuple[Found, ...] = ()
    patches: tuple[Found, ...] = ()
    unknown: tuple[Evidence, ...] = ()


def understand(messages: list[Message]) -> Understanding:
    """Read a report and its thread; the first message is the report."""
    transcripts = transcripts_of(messages)
    dialogue = set(_places_of(transcripts))
    commands = [*host_commands(transcripts), *bare_commands(messages)]
    typed = [(e.command, e.evidence) for t in transcripts for e in t.exchanges]
    facts = {name: _unique(_found(messages, finder)) for name, finder in _IN_TEXT.items()}
    first = messages[0]
    within = frozenset((part, line) for number, part, line in dialogue if number == first.number)
    behaviour = behaviour_of(first, within)
    facts["reported_by"] = facts["reported_by"] or tuple(sender(first))
    facts["shell"] = _unique(Found(command, where) for command, where in commands)
    facts["patches"] = _unique(_found(messages, patches, of_patches=True))
    qemu = {line.words: line for line in _qemu_lines([*typed, *commands])}
    used = {_place(found.evidence) for each in facts.values() for found in each}
    used |= {_place(found.evidence) for found in (*behaviour.expected, *behaviour.actual)}
    used |= {_place(line.evidence) for line in qemu.values()}
    return Understanding(
        **facts,
        qemu=tuple(qemu.values()),
        transcripts=tuple(transcripts),
        expected=_unique(behaviour.expected),
        actual=_unique(behaviour.actual),
        unknown=tuple(_not_understood(messages, used | dialogue)),
    )


def _found(
    messages: list[Message], finder: _Finder, *, of_patches: bool = False
) -> Iterator[Found]:
    """What a finder finds in subjects and lines. What a patch changes is no fact of the report."""
    for line, evidence in _lines(messages):
        if line.kind is (Kind.PATCH if of_patches else Kind.TEXT):
            for value in finder(line.text):
                yield Found(value, evidence)


def _lines(messages: list[Message]) -> Iterator[tuple[Line, Evidence]]:
    for message in messages:
        text = message.subject
        yield Line(0, text), Evidence(message.number, "", 0, text)
    yield from lines_of(messages)


def _unique(found: Iterable[Found]) -> tuple[Found, ...]:
    """Each value once, where it stands first."""
    first: dict[str, Found] = {}
    for each in found:
        first.setdefault(" ".join(each.value.split()), each)
    return tuple(first.values())


def _qemu_lines(commands: Iterable[tuple[str, Evidence]]) -> Iterator[QemuLine]:
    for command, evidence in commands:
        if line := qemu_line(command, evidence):
            yield line


def _place(evidence: Evidence) -> _Place:
    return evidence.message, evidence.part, evidence.line


def _places_of(transcripts: list[Transcript]) -> Iterator[_Place]:
    for transcript in transcripts:
        first = transcript.exchanges[0].evidence
        for line in range(first.line, transcript.last + 1):
            yield first.message, first.part, line


def _not_understood(messages: list[Message], used: set[_Place]) -> Iterator[Evidence]:
    """Lines that look technical, and that no fact came from; quoted ones are in the mail before."""
    goes_on = False
    for line, evidence in lines_of(messages):
        if goes_on:
            used.add(_place(evidence))
        goes_on = line.text.endswith("\\") and _place(evidence) in used
        if line.kind is not Kind.TEXT or (line.depth and evidence.message > 1):
            continue
        if _place(evidence) not in used and _TECHNICAL.search(line.text):
            yield evidence
