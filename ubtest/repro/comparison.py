"""What a report shows and what a run gave, side by side: evidence, not text that must be equal."""

import enum
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ubtest.repro.normalisation import LONGEST, Line, evidence, legend, normalise

MOST_LINES = 400  # of one command; what is more is counted
_NEAR = 20  # lines that are looked at for one that changed
_ALIKE = 0.6  # of two lines' words: less, and they are two lines and not one that changed
_TROUBLE = re.compile(
    r"\b(fail(s|ed|ure)?|err(or)?|cannot|can't|could not|unable|refused|denied|abort(ed)?|panic|"
    r"oops|bug|timed? ?out|timeout|not found|no such|no space|not (a )?valid|invalid|unsupported|"
    r"unknown command|corrupt(ed)?|bad|missing|hung|exception|unhandled|already|warning)\b|### ",
    re.IGNORECASE,
)


class Mark(enum.Enum):
    """What a row of the comparison says."""

    SAME = " "
    ELSEWHERE = "="  # the run has it in another place, or within a longer line
    CHANGED = "~"  # the line is there, and differs in more than the rules allow
    ONE_SIDE = "|"
    MATTERS = "!"  # one side speaks of trouble and the other does not


@dataclass(frozen=True)
class Spoken:
    """One command and what it printed."""

    command: str
    output: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """:param report: the line of the report, None where it has none; ``run`` likewise."""

    mark: Mark
    report: str | None
    run: str | None


@dataclass(frozen=True)
class Dialogue:
    """A command of the report with the run's answer beside the report's.

    :param rows: empty where the run did not have the command.
    :param left_out: lines beyond the bound, which were not compared.
    """

    command: str
    rows: tuple[Row, ...]
    was_run: bool = True
    left_out: int = 0


@dataclass(frozen=True)
class Comparison:
    """Transcript of the report and of the run.

    :param rules: one line for each rule that made two lines equal or was needed to compare them.
    """

    dialogues: tuple[Dialogue, ...]
    rules: tuple[str, ...]

    @property
    def matters(self) -> tuple[Row, ...]:
        return tuple(
            row for each in self.dialogues for row in each.rows if row.mark is Mark.MATTERS
        )


def trouble(line: str) -> bool:
    """Whether a line of a console speaks of something that went wrong."""
    return _TROUBLE.search(line[:LONGEST]) is not None


def compare(report: Sequence[Spoken], run: Iterable[Spoken]) -> Comparison:
    """Find each command of the report in the run, in order, and hold the answers side by side."""
    rest, used, dialogues = list(run), set[str](), list[Dialogue]()
    lines = [line for each in rest for line in each.output[:MOST_LINES]]
    for said in report:
        wanted = normalise(said.command).text
        at = next((i for i, each in enumerate(rest) if normalise(each.command).text == wanted), -1)
        if at < 0:
            dialogues.append(Dialogue(said.command, (), was_run=False))
            continue
        answer = rest[at]
        del rest[: at + 1]
        dialogues.append(_beside(said, answer, used, lines))
    return Comparison(tuple(dialogues), legend(used))


def _beside(report: Spoken, run: Spoken, used: set[str], lines: Sequence[str]) -> Dialogue:
    left_out = sum(max(0, len(each.output) - MOST_LINES) for each in (report, run))
    sides = [[line for line in each.output if line.strip()] for each in (report, run)]
    ours = [[normalise(line) for line in side[:MOST_LINES]] for side in sides]
    rows = tuple(_found_elsewhere(tuple(_rows(sides[0], sides[1], *ours)), lines))
    for side in ours:
        for line in side:
            used |= line.rules
    return Dialogue(report.command, rows, left_out=left_out)


def _rows(
    report: Sequence[str], run: Sequence[str], left: Sequence[Line], right: Sequence[Line]
) -> Iterator[Row]:
    matcher = SequenceMatcher(
        None, [line.text for line in left], [line.text for line in right], autojunk=False
    )
    for tag, start, end, other, other_end in matcher.get_opcodes():
        if tag == "equal":
            pairs = zip(range(start, end), range(other, other_end), strict=True)
            yield from (Row(Mark.SAME, report[i], run[j]) for i, j in pairs)
        else:
            yield from _differing(
                [(report[i], left[i]) for i in range(start, end)],
                [(run[j], right[j]) for j in range(other, other_end)],
            )


def _differing(
    report: Sequence[tuple[str, Line]], run: Sequence[tuple[str, Line]]
) -> Iterator[Row]:
    """Lines in order; two that are alike share a row."""
    rest = list(run)
    for shown, line in report:
        near = rest[:_NEAR]
        at = next((i for i, (_, each) in enumerate(near) if _alike(line, each)), -1)
        if at < 0:
            yield _alone(shown, None)
            continue
        yield from (_alone(None, each) for each, _ in rest[:at])
        other = rest[at][0]
        mark = Mark.CHANGED if trouble(shown) == trouble(other) else Mark.MATTERS
        yield Row(mark, shown, other)
        del rest[: at + 1]
    yield from (_alone(None, each) for each, _ in rest)


def _found_elsewhere(rows: Sequence[Row], lines: Sequence[str]) -> Iterator[Row]:
    """Trouble of the report that the run has, too, in another place: consoles tear lines apart, and
    one version says at once what another says later.

    :param lines: all that the run printed.
    """
    met = dict[str, str]()
    for row in [each for each in rows if each.mark is Mark.MATTERS and each.report][:_NEAR]:
        pattern = re.compile(evidence(row.report or ""))
        if there := next((line for line in lines if pattern.search(line)), None):
            met[row.report or ""] = there
    shown = {each.run for each in rows if each.report is None} & set(met.values())
    for row in rows:
        if row.run is None and row.report in met:
            yield Row(Mark.ELSEWHERE, row.report, met[row.report])
        elif row.report is not None or row.run not in shown:
            yield row


def _alone(report: str | None, run: str | None) -> Row:
    mark = Mark.MATTERS if trouble(report or run or "") else Mark.ONE_SIDE
    return Row(mark, report, run)


def _alike(one: Line, other: Line) -> bool:
    """Whether most words of both are the same."""
    words, others = Counter(one.text.split()), Counter(other.text.split())
    return 2 * (words & others).total() >= _ALIKE * (words.total() + others.total())
