"""What `ubtest repro` shows: a report with its lines, two transcripts side by side, verdicts."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from ubtest.console.transcript import printable
from ubtest.recipe import dump
from ubtest.repro.comparison import Comparison, Dialogue, Mark, Row, compare
from ubtest.repro.message import Evidence, Found
from ubtest.repro.qemu_line import QemuLine
from ubtest.repro.report import Report
from ubtest.repro.transcript import Side, Transcript
from ubtest.repro.verdict import Trial

_NAMES = {"reported_by": "reported by", "qemu": "QEMU", "shell": "on the host", "unknown": "?"}
_ALIKE = 3  # rows in a line that are the same: more of them are counted
_WIDTH = 100
SHOWN_UNKNOWN = 20


def clean(text: str) -> str:
    """One line that no terminal acts on."""
    return printable(text.encode("utf-8", "surrogateescape")).replace("\n", " ")


def report_lines(read: Report) -> Iterator[str]:
    """All that was understood, what was not, and the recipe made of it."""
    if read.understood is not None:
        yield from _understood(read.understood)
        yield ""
    if read.notes:
        yield "not as in the report:"
        yield from (f"  - {note}" for note in read.notes)
        yield ""
    if read.recipe is None:
        yield "no recipe: there is nothing in it that could be run"
        return
    yield "recipe:"
    yield from (f"  {line}" for line in dump(read.recipe).splitlines())
    if found := read.concerns:
        yield ""
        yield f"commands that may write (here: {read.board.place.value}):"
        yield from (f"  {each.command}   ({each.why})" for each in found)


def _understood(understood: Any) -> Iterator[str]:
    yield "understood, with the line of the mail:"
    for field in fields(understood):
        values = getattr(understood, field.name)
        if field.name != "unknown":
            for each in values:
                yield from _fact(_NAMES.get(field.name, field.name), each)
    if unknown := understood.unknown:
        yield "not understood:"
        yield from (f"  {_place(each)} | {each.text}" for each in unknown[:SHOWN_UNKNOWN])
        if len(unknown) > SHOWN_UNKNOWN:
            yield f"  and {len(unknown) - SHOWN_UNKNOWN} lines more"


def _fact(name: str, fact: Any) -> Iterator[str]:
    if isinstance(fact, Found):
        note = "(never run) " if name == _NAMES["shell"] else ""
        yield _beside(name, note + fact.value, fact.evidence)
    elif isinstance(fact, QemuLine):
        yield _beside(name, " ".join(fact.words), fact.evidence)
    elif isinstance(fact, Transcript):
        for each in fact.exchanges:
            if each.command and each.side is Side.TARGET:
                yield _beside(each.prompt.value, each.command, each.evidence)


def _beside(name: str, value: str, evidence: Evidence) -> str:
    return f"  {name:<12} {_short(value, 50):<50} {_place(evidence)} | {_short(evidence.text, 70)}"


def _place(evidence: Evidence) -> str:
    part = f"{evidence.part}:" if evidence.part else ""
    return f"{evidence.message}:{part}{evidence.line}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def comparison_lines(made: Comparison, version: str) -> Iterator[str]:
    """For a pipe or a file: each line with whose it is."""
    yield f"the report and U-Boot {version}:"
    for dialogue in made.dialogues:
        yield f"  {dialogue.command}"
        if not dialogue.was_run:
            yield "    (not run)"
        for row in folded(dialogue):
            yield from _row(row)
    yield from _legend(made)


def _row(row: Row | str) -> Iterator[str]:
    if isinstance(row, str):
        yield f"      ... {row}"
    elif row.mark is Mark.SAME:
        yield f"        both    {row.report}"
    else:
        mark = row.mark.value
        if row.report is not None:
            yield f"    {mark}   report  {row.report}"
        if row.run is not None:
            yield f"    {mark}   run     {row.run}"


def folded(dialogue: Dialogue) -> Iterator[Row | str]:
    """The rows; many in a line that say nothing become their number."""
    kept = list[Row]()
    for row in [*dialogue.rows, None]:
        kind = _kind(row)
        if kept and kind != _kind(kept[0]):
            many = len(kept) > _ALIKE and _kind(kept[0])
            yield from [f"{len(kept)} lines {_kind(kept[0])}"] if many else kept
            kept.clear()
        if row is not None:
            kept.append(row)
    if dialogue.left_out:
        yield f"{dialogue.left_out} lines were not compared"


def _kind(row: Row | None) -> str:
    """What many rows like this one say; empty for one that is always shown."""
    if row is None:
        return "end"
    if row.mark is Mark.SAME:
        return "are the same"
    if row.mark is Mark.ONE_SIDE:
        return "only the run has" if row.report is None else "only the report has"
    return ""


def _legend(made: Comparison) -> Iterator[str]:
    yield f"  !  {len(made.matters)} lines of trouble that only one side has"
    if any(row.mark is Mark.ELSEWHERE for each in made.dialogues for row in each.rows):
        yield "  =  trouble that both have, in another place or within a longer line"
    if made.rules:
        yield "  not compared:"
        yield from (f"    {rule}" for rule in made.rules)


def table_lines(trials: Sequence[Trial]) -> Iterator[str]:
    """One line a version, with its reason below."""
    width = max(len(each.version) for each in trials)
    for each in trials:
        yield f"{each.version:<{width}}  {each.verdict.value:<14}  {each.seconds:.1f} s"
        yield from (f"{'':<{width}}  {line}" for line in each.reason.splitlines())


def show_comparison(report: Sequence[Any], trial: Trial, stream: Any) -> None:
    """Side by side on a terminal, one below the other elsewhere."""
    made = compare(report, trial.spoken)
    if not made.dialogues or trial.outcome is None:
        return
    if stream.isatty():
        _side_by_side(made, trial.version, stream)
        write(_legend(made), stream)
    else:
        write(comparison_lines(made, trial.version), stream)
    write([""], stream)


def _side_by_side(made: Comparison, version: str, stream: Any) -> None:
    # Late: it takes a third of the time that `ubtest --help` may take
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table("", "report", f"U-Boot {version}", expand=True)
    styles = {Mark.MATTERS: "bold red", Mark.CHANGED: "yellow"}
    for dialogue in made.dialogues:
        run = dialogue.command if dialogue.was_run else "(not run)"
        shown.add_row("", Text(clean(dialogue.command), "bold"), Text(clean(run), "bold"))
        for row in folded(dialogue):
            if isinstance(row, str):
                shown.add_row("", f"... {row}", "...", style="dim")
                continue
            texts = [Text(clean(each or "")) for each in (row.report, row.run)]
            shown.add_row(row.mark.value, *texts, style=styles.get(row.mark, ""))
    Console(file=stream).print(shown)


def write(lines: Iterable[str], stream: Any = None) -> None:
    """Print lines that may hold anything."""
    out = stream or sys.stdout
    encoding = out.encoding or "utf-8"
    for line in lines:
        print(clean(line).encode(encoding, "backslashreplace").decode(encoding), file=out)
    out.flush()


def summary(read: Report, trials: Sequence[Trial], code: int | None) -> dict[str, Any]:
    """For programs; :param code: None where nothing was run."""
    return {
        "exit_code": code,
        "board": read.board.path.stem,
        "recipe": dump(read.recipe) if read.recipe else None,
        "notes": list(read.notes),
        "concerns": [{"command": each.command, "why": each.why} for each in read.concerns],
        "trials": [_trial(read, each) for each in trials],
    }


def _trial(read: Report, trial: Trial) -> dict[str, Any]:
    made = compare(read.said, trial.spoken)
    return {
        "version": trial.version,
        "firmware": trial.firmware,
        "verdict": trial.verdict.value,
        "reason": trial.reason.splitlines(),
        "seconds": round(trial.seconds, 3),
        "matters": [{"report": row.report, "run": row.run} for row in made.matters],
    }
