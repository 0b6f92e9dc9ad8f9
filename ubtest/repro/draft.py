"""A recipe made of what a report says: a first draft, which people may edit and keep.

Nothing of a report reaches the host: console commands become steps, QEMU's devices come from an
allow-list, and command lines of the host are left to the reader.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ubtest.handoff.qemu_words import Refusal
from ubtest.recipe.expectations import Crash, Expectation, Output
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, LinuxStart, Menu, Reset, Shell, Step, UBoot
from ubtest.repro.comparison import Spoken, trouble
from ubtest.repro.dialogue import BOARD, BOARDS, chosen
from ubtest.repro.hardware import hardware_of
from ubtest.repro.message import Found, Message
from ubtest.repro.normalisation import evidence
from ubtest.repro.replica import refusal, replica
from ubtest.repro.transcript import Exchange, Prompt
from ubtest.repro.understanding import Understanding

MOST_STEPS, MOST_SYMPTOMS = 60, 5
KERNELS = ("6.1", "6.12")  # what `ubtest kernel get` gives
_CRASHED = re.compile(r"Synchronous Abort|### ERROR ### Please RESET|Resetting CPU|Kernel panic")
_STARTS_A_SYSTEM = re.compile(
    r"(bootefi|bootm|booti|bootz|boot|bootd|go|run \w*boot\w*|bootflow (boot|scan .*-\w*b))\b"
)
_ASKS_THE_NETWORK = re.compile(
    r"(ping6?|dhcp6?|bootp|tftp\w*|rarpboot|nfs|wget|pxe|dns|sntp|curl|ssh)\b"
)
_MENU = re.compile(r"(bootmenu|eficonfig)\b")
# Said of a crash by `crash`, and too often of nothing
_NO_SYMPTOM = re.compile(r"(?i)warning|" + _CRASHED.pattern)
# "Error: ", "Failed to print: ": how a line starts changes from version to version
_LEVEL = re.compile(r"(?:[A-Z*][\w* ]{0,30}: )(?=(?:\S+ ){2})")
_QUOTED = re.compile(r"""[`"'\u201c\u2018]([^`"'\u201d\u2019]{4,120})[`"'\u201d\u2019]""")
_GUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")


@dataclass(frozen=True)
class Draft:
    """What became of a report.

    :param recipe: None where the report has nothing that could be done.
    :param said: the commands that became steps with their output, for the comparison.
    :param notes: what was left out or assumed, and why.
    :param conclusive: whether the report says what goes wrong in a way that a run can show.
    """

    recipe: Recipe | None
    said: tuple[Spoken, ...] = ()
    notes: tuple[str, ...] = ()
    conclusive: bool = False


def draft(
    messages: Sequence[Message],
    understood: Understanding,
    *,
    board: str = BOARD,
    has: Iterable[str] = (),
) -> Draft:
    """The recipe of a report.

    :param board: the name of the board file that it is for.
    :param has: drivers that the board has anyway.
    """
    notes = list(_tried_on(understood, board))
    if (refused := refusal(messages, understood)) is not None:
        return _of_vfio(refused, messages, board)
    exchanges = list(chosen(understood, board, notes))
    done = _steps(exchanges, notes)
    if not done:
        notes.append("no command for the board's console was found")
        return Draft(None, notes=tuple(notes))
    hardware = hardware_of(understood, exchanges, messages, has)
    linux = any(isinstance(step, Shell) for _, step in done)
    symptoms = tuple(_symptoms(done))
    crashed = any(_CRASHED.search(line) for each in exchanges for line in each.output)
    wanted = tuple(_wanted(understood.expected, done))
    expect = (*wanted, Crash(False))
    recipe = Recipe(
        title=_title(messages),
        from_=_origin(messages),
        board=(board,),
        kernel=_kernel(understood, notes) if linux else "",
        machine=hardware.machine,
        media=hardware.media,
        devices=tuple(hardware.devices),
        steps=tuple(_with_linux(step for _, step in done)),
        expect=expect,
        symptom=(*symptoms, *((Crash(True),) if crashed else ())),
    )
    conclusive = bool(symptoms or crashed or wanted)
    spoken = tuple(Spoken(each.command, each.output) for each, _ in done)
    return Draft(recipe, spoken, (*notes, *hardware.notes), conclusive)


def _of_vfio(said: Refusal, messages: Sequence[Message], board: str) -> Draft:
    """A guest on the reporter's own hardware: what QEMU says of it is made on a replica."""
    causes = tuple(f"likely behind `{said}`: {cause}" for cause in said.causes)
    made = replica(said, _title(messages), _origin(messages), board)
    if made is None:
        return Draft(None, notes=(f"QEMU refuses at {said}: no replica of that", *causes))
    return Draft(
        made,
        notes=(
            "the reporter's device and its bind and unbind are of their board: an e1000e of QEMU "
            "is bound instead, behind an MMU-500 made of memory",
            *causes,
            "whether that board is out of context banks is seen there: dmesg | grep 'context "
            "banks' tells how many it has, and grep -o arm-smmu-context-fault /proc/interrupts | "
            "wc -l how many are taken",
        ),
        conclusive=True,
    )


def _steps(exchanges: Iterable[Exchange], notes: list[str]) -> list[tuple[Exchange, Step]]:
    done, linux = list[tuple[Exchange, Step]](), False
    for each in exchanges:
        uboot = each.prompt is Prompt.UBOOT
        if len(done) >= MOST_STEPS:
            notes.append(f"a recipe has {MOST_STEPS} steps at most: `{each.command}` is left out")
        elif uboot and linux:
            notes.append(f"`{each.command}` comes after Linux: left out, a recipe boots it once")
        elif _ASKS_THE_NETWORK.match(each.command):
            notes.append(f"`{each.command}` asks the network, and there is none: left out")
        elif uboot and _STARTS_A_SYSTEM.match(each.command):
            notes.append(f"`{each.command}` starts a system of the reporter's: left out")
        else:
            linux = linux or not uboot
            done.append((each, _step(each, f"out{len(done) + 1}")))
    return [pair for pair in done if not (linux and isinstance(pair[1], Reset))]


def _with_linux(steps: Iterable[Step]) -> Iterator[Step]:
    """The kernel starts before the first line for its shell."""
    started = False
    for step in steps:
        if isinstance(step, Shell) and not started:
            yield Linux(LinuxStart())
            started = True
        yield step


def _step(each: Exchange, name: str) -> Step:
    if each.prompt is not Prompt.UBOOT:
        return Shell(each.command, save=name)
    if each.command.strip() == "reset":
        return Reset({}, save=name)
    if _MENU.match(each.command):
        return Menu(each.command, save=name)
    return UBoot(each.command, save=name)


def _symptoms(done: Sequence[tuple[Exchange, Step]]) -> Iterator[Output]:
    """Lines of trouble. One version says at once what another says a command later, so each counts
    in the output of any step; its own stands first."""
    found = dict[str, str]()
    for each, step in done:
        for line in each.output:
            if trouble(line) and not _NO_SYMPTOM.search(line):
                words = _LEVEL.sub("", line.strip())
                found.setdefault(evidence(words), getattr(step, "save", ""))
    names = [getattr(step, "save", "") for _, step in done]
    for pattern, own in list(found.items())[:MOST_SYMPTOMS]:
        places = [own, *(name for name in names if name != own)] if len(names) <= 8 else [own]
        yield from (Output(pattern, in_=name) for name in places)


def _wanted(
    expected: Iterable[Found], done: Sequence[tuple[Exchange, Step]]
) -> Iterator[Expectation]:
    """What the report quotes of the output that should come; its own words cannot be matched."""
    if len(done) != 1:
        return  # nobody knows in whose output
    command, step = done[0]
    for each in expected:
        for quoted in [*_QUOTED.findall(each.value), *_GUID.findall(each.value)]:
            if quoted.strip() != command.command:
                yield Output(evidence(quoted), in_=getattr(step, "save", ""))


def _title(messages: Sequence[Message]) -> str:
    subject = messages[0].subject if messages else ""
    title = re.sub(
        r"^(\s*(re|aw|fwd?|antw)\s*:|\s*\[[^\]]*\])+\s*", "", subject, flags=re.IGNORECASE
    )
    return title.strip()[:200] or "a report without a subject"


def _origin(messages: Sequence[Message]) -> str:
    first = messages[0] if messages else Message(1)
    return ", ".join(filter(None, ("report by mail", first.date, first.message_id)))


def _tried_on(understood: Understanding, board: str) -> Iterator[str]:
    named = [each.value for each in understood.boards]
    if named and board not in map(BOARDS.get, named):
        yield f"the report is of {', '.join(named)}; tried on {board}"


def _kernel(understood: Understanding, notes: list[str]) -> str:
    named = [each.value for each in understood.kernels]
    found = [each for each in KERNELS if any(f"{name}.".startswith(f"{each}.") for name in named)]
    chosen = f"debian:{(found or KERNELS)[0]}"
    if named and not found:
        notes.append(f"the report has Linux {named[0]}; tried with {chosen}")
    return chosen
