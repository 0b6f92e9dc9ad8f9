"""A recipe made of what a report says: a first draft, which people may edit and keep.

Nothing of a report reaches the host: console commands become steps, QEMU's devices come from an
allow-list, and command lines of the host are left to the reader.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ubtest.handoff.qemu_words import Refusal
from ubtest.recipe.devices import WITH_MEDIUM
from ubtest.recipe.expectations import Absent, Crash, Expectation, Output
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, LinuxStart, Menu, Reset, Shell, Step, UBoot
from ubtest.repro.comparison import Spoken, trouble
from ubtest.repro.hardware import Hardware, read_words
from ubtest.repro.message import Found, Message
from ubtest.repro.normalisation import evidence
from ubtest.repro.replica import refusal, replica
from ubtest.repro.transcript import Exchange, Prompt, Side, Transcript
from ubtest.repro.understanding import Understanding

MOST_STEPS, MOST_SYMPTOMS = 60, 5
KERNELS = ("6.1", "6.12")  # what `ubtest kernel get` gives
# Words of a report -> the board file that stands for it
BOARDS = {"qemu_arm64": "qemu-arm64", "qemu_arm": "qemu-arm", "qemu-x86_64": "qemu-x86_64"}
BOARD = "qemu-arm64"
_CRASHED = re.compile(r"Synchronous Abort|### ERROR ### Please RESET|Resetting CPU|Kernel panic")
_STARTS_A_SYSTEM = re.compile(
    r"(bootefi|bootm|booti|bootz|boot|bootd|bootflow|go|run \w*boot\w*)\b"
)
_MENU = re.compile(r"(bootmenu|eficonfig)\b")
# Said of a crash by `crash`, and too often of nothing
_NO_SYMPTOM = re.compile(r"(?i)warning|" + _CRASHED.pattern)
_QUOTED = re.compile(r"""[`"'\u201c\u2018]([^`"'\u201d\u2019]{4,120})[`"'\u201d\u2019]""")
_STICKS = re.compile(r"(\d+) Storage Device\(s\) found")
_MANY_STICKS = re.compile(
    r"\b(two|three|four|2|3|4)\b[^.]{0,40}\b(usb )?(sticks|drives|disks)\b", re.I
)
_NUMBERS = {"two": 2, "three": 3, "four": 4}
# First word of a command -> the device that it asks for
_WANTS = {"usb": "usb-storage", "nvme": "nvme", "mmc": "sd-card", "virtio": "virtio-blk-pci"}


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
    exchanges = list(_chosen(understood.transcripts, notes))
    done = _steps(exchanges, notes)
    if not done:
        notes.append("no command for the board's console was found")
        return Draft(None, notes=tuple(notes))
    hardware = _hardware(understood, exchanges, messages, has)
    linux = any(isinstance(step, Shell) for _, step in done)
    symptoms = tuple(_symptoms(done))
    crashed = any(_CRASHED.search(line) for each in exchanges for line in each.output)
    wanted = tuple(_wanted(understood.expected, done))
    expect = (*_without(symptoms), *wanted, Crash(False))
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


def _chosen(transcripts: Sequence[Transcript], notes: list[str]) -> Iterator[Exchange]:
    """The exchanges of the message that shows trouble, or of the first; each dialogue once."""
    usable = [each for each in transcripts if any(map(_on_target, each.exchanges))]
    shows = [each for each in usable if any(_troubled(said) for said in each.exchanges)]
    first = next(iter(shows or usable), None)
    if first is None:
        return
    seen = list[list[str]]()
    for each in usable:
        commands = [said.command for said in each.exchanges if _on_target(said)]
        if each.exchanges[0].evidence.message != first.exchanges[0].evidence.message:
            notes.append(f"the dialogue at {_where(each)} is of another message: left out")
        elif commands in seen:
            notes.append(f"the dialogue at {_where(each)} has the same commands: taken once")
        else:
            seen.append(commands)
            yield from filter(_on_target, each.exchanges)


def _where(transcript: Transcript) -> str:
    evidence = transcript.exchanges[0].evidence
    return f"message {evidence.message}, line {evidence.line}"


def _on_target(said: Exchange) -> bool:
    return said.side is Side.TARGET and bool(said.command) and said.prompt is not Prompt.UNKNOWN


def _troubled(said: Exchange) -> bool:
    return bool(said.command) and any(map(trouble, said.output))


def _steps(exchanges: Iterable[Exchange], notes: list[str]) -> list[tuple[Exchange, Step]]:
    done, linux = list[tuple[Exchange, Step]](), False
    for each in exchanges:
        uboot = each.prompt is Prompt.UBOOT
        if len(done) >= MOST_STEPS:
            notes.append(f"a recipe has {MOST_STEPS} steps at most: `{each.command}` is left out")
        elif uboot and linux:
            notes.append(f"`{each.command}` comes after Linux: left out, a recipe boots it once")
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


def _hardware(
    understood: Understanding,
    exchanges: Sequence[Exchange],
    messages: Sequence[Message],
    has: Iterable[str],
) -> Hardware:
    made = read_words(understood.qemu[0].words, has) if understood.qemu else Hardware()
    if understood.qemu[1:]:
        made.notes.append("the report has several command lines of QEMU: the first one is taken")
    drivers = {each.driver for each in made.devices}
    for word in dict.fromkeys(each.command.split()[0] for each in exchanges):
        driver = _WANTS.get(word, "")
        if driver and not drivers & WITH_MEDIUM.keys():
            count = _sticks(exchanges, messages) if driver == "usb-storage" else 1
            for port in range(1, count + 1):
                made.add(driver, {"port": str(port)} if driver == "usb-storage" else None)
            made.notes.append(
                f"{count} {driver}: `{word}` asks for it, and no command line says so"
            )
    return made


def _sticks(exchanges: Sequence[Exchange], messages: Sequence[Message]) -> int:
    """How many sticks a report is about: what its transcript counts, else its words."""
    lines = (line for each in exchanges for line in each.output)
    if counted := [int(number) for line in lines for number in _STICKS.findall(line)]:
        return min(4, max(counted))
    texts = [each.subject for each in messages]
    texts += [line.text for each in messages for part in each.parts for line in part.lines[:200]]
    said = next((found for text in texts if (found := _MANY_STICKS.search(text))), None)
    return _NUMBERS.get(said[1].lower()) or int(said[1]) if said else 1


def _symptoms(done: Iterable[tuple[Exchange, Step]]) -> Iterator[Output]:
    """Lines of trouble, each in the output of its own command."""
    found = dict[tuple[str, str], Output]()
    for each, step in done:
        for line in each.output:
            if trouble(line) and not _NO_SYMPTOM.search(line):
                output = Output(evidence(line), in_=getattr(step, "save", ""))
                found.setdefault((output.output, output.in_), output)
    yield from list(found.values())[:MOST_SYMPTOMS]


def _without(symptoms: Iterable[Output]) -> Iterator[Absent]:
    yield from (Absent(each.output, in_=each.in_) for each in symptoms)


def _wanted(
    expected: Iterable[Found], done: Sequence[tuple[Exchange, Step]]
) -> Iterator[Expectation]:
    """What the report quotes of the output that should come; its own words cannot be matched."""
    commands = {each.command for each, _ in done}
    for each in expected:
        for quoted in _QUOTED.findall(each.value):
            if quoted.strip() not in commands:
                yield Output(evidence(quoted))


def _title(messages: Sequence[Message]) -> str:
    subject = messages[0].subject if messages else ""
    title = re.sub(
        r"^(\s*(re|aw|fwd?|antw)\s*:|\s*\[[^\]]*\])+\s*", "", subject, flags=re.IGNORECASE
    )
    return title.strip()[:200] or "a report without a subject"


def _origin(messages: Sequence[Message]) -> str:
    first = messages[0] if messages else Message(1)
    return ", ".join(filter(None, ("report by mail", first.date, first.message_id)))


def board_of(understood: Understanding) -> str:
    """The board of ours that a report names, or the one that everybody has."""
    named = (BOARDS.get(each.value) for each in understood.boards)
    return next(filter(None, named), BOARD)


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
