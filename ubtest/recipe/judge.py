"""Expectations against what was seen; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ubtest.media.content import Content
from ubtest.recipe.expectations import (
    BOOT,
    Absent,
    Count,
    Crash,
    Expectation,
    File,
    FileIs,
    Flash,
    Output,
    Status,
    Variable,
    VariableIs,
)
from ubtest.recipe.outcome import Held, Outcome, StepOutcome
from ubtest.recipe.schema import Recipe


@dataclass(frozen=True)
class FlashSeen:
    """The chip before power-on and in the end; `region` is what capsules update."""

    before: Content
    after: Content
    region: slice

    @property
    def changes(self) -> dict[str, bool]:
        """Whether something changed, by the names of the recipe."""
        inside = range(self.region.start, self.region.stop)
        found = self.before.changes(self.after)
        return {
            "image": self.before[self.region] != self.after[self.region],
            "outside": any(r.start not in inside or r.stop - 1 not in inside for r in found),
        }


@dataclass(frozen=True)
class Seen:
    """All that was seen of a run.

    :param boot: what U-Boot printed when the power came on.
    :param variables: those that were read; an expectation that is missing was not reached.
    """

    steps: tuple[StepOutcome, ...] = ()
    crash: str = ""
    boot: str = ""
    variables: Mapping[VariableIs, bytes | None] = field(default_factory=dict)
    flash: FlashSeen | None = None
    files: Mapping[FileIs, bytes | None] = field(default_factory=dict)

    def step(self, name: str) -> StepOutcome | None:
        """The step that saved a name; without a name, the last one with output."""
        with_output = [each for each in self.steps if each.output is not None]
        if name:
            with_output = [each for each in with_output if getattr(each.step, "save", "") == name]
        return with_output[-1] if with_output else None

    def output(self, name: str) -> str | None:
        """None where the step was not reached."""
        if name == BOOT:
            return self.boot
        step = self.step(name)
        return step.output if step else None


def outcome(recipe: Recipe, seen: Seen) -> Outcome:
    """The judgement on all that a recipe expects."""
    expected = recipe.expect
    if not any(isinstance(each, Crash) for each in expected):
        expected = (*expected, Crash(False))
    return Outcome(
        seen.steps,
        tuple(judge(each, seen) for each in expected),
        tuple(judge(each, seen) for each in recipe.symptom),
        seen.crash,
    )


def judge(expectation: Expectation, seen: Seen) -> Held:
    """Whether it holds, and why."""
    found: Held = _JUDGES[type(expectation)](expectation, seen)
    return found


def _output(each: Output, seen: Seen) -> Held:
    output = seen.output(each.in_)
    if output is None:
        return Held(each, False, _not_reached(each.in_))
    if match := re.search(each.output, output, re.MULTILINE):
        named = {name: text for name, text in match.groupdict().items() if text is not None}
        return Held(each, True, f"{_where(each.in_, seen)}: {_short(match[0])}", named)
    why = f"{_where(each.in_, seen)}: nothing matches `{each.output}` in {_short(output)!r}"
    return Held(each, False, why)


def _absent(each: Absent, seen: Seen) -> Held:
    output = seen.output(each.in_)
    if output is None:
        return Held(each, False, _not_reached(each.in_))
    if match := re.search(each.absent, output, re.MULTILINE):
        return Held(each, False, f"{_where(each.in_, seen)}: {_short(match[0])}")
    return Held(each, True, f"{_where(each.in_, seen)}: nothing matches `{each.absent}`")


def _count(each: Count, seen: Seen) -> Held:
    output = seen.output(each.in_)
    if output is None:
        return Held(each, False, _not_reached(each.in_))
    found = sum(1 for _ in re.finditer(each.count.regex, output, re.MULTILINE))
    what = f"{_where(each.in_, seen)}: `{each.count.regex}` is there {found} times"
    wanted = "" if found == each.count.is_ else f", not {each.count.is_}"
    return Held(each, not wanted, what + wanted)


def _status(each: Status, seen: Seen) -> Held:
    step = seen.step(each.status.of)
    if step is None:
        return Held(each, False, _not_reached(each.status.of))
    holds = step.status == each.status.is_
    returned = "did not return" if step.status is None else f"returned {step.status}"
    wanted = "" if holds else f", not {each.status.is_}"
    return Held(each, holds, f"{_where(each.status.of, seen)} {returned}{wanted}")


def _variable(each: Variable, seen: Seen) -> Held:
    wanted = each.variable
    if wanted not in seen.variables:
        return Held(each, False, f"the variable {wanted.name} was not read: the board was gone")
    data = seen.variables[wanted]
    there = f"is {data.hex()}" if data is not None else "does not exist"
    holds = (data is not None) is wanted.exists and (
        not wanted.data or data == bytes.fromhex(wanted.data)
    )
    return Held(each, holds, f"the variable {wanted.name} {there}")


def _flash(each: Flash, seen: Seen) -> Held:
    if seen.flash is None:
        return Held(each, False, "the board names no image that capsules update")
    wrong = [
        f"{name} is {'changed' if changed else 'unchanged'}"
        for name, changed in seen.flash.changes.items()
        if getattr(each.flash, name) == ("unchanged" if changed else "changed")
    ]
    region = seen.flash.after[seen.flash.region]
    for start in (each.flash.text.encode(), bytes.fromhex(each.flash.hex)):
        if not region.startswith(start):
            wrong.append(f"image starts with {region[: len(start)][:32].hex()}")
    return Held(each, not wrong, "the flash: " + (", ".join(wrong) or "as expected"))


def _file(each: File, seen: Seen) -> Held:
    wanted = each.file
    data = seen.files.get(wanted)
    where = f"{wanted.path} on {wanted.medium}"
    if data is None:
        return Held(each, not wanted.exists, f"{where} does not exist")
    if not wanted.exists:
        return Held(each, False, f"{where} exists")
    content = wanted.text.encode() if wanted.text is not None else None
    content = bytes.fromhex(wanted.hex) if wanted.hex is not None else content
    holds = content in (None, data)
    return Held(each, holds, f"{where} has {len(data)} bytes{'' if holds else ', others'}")


def _crash(each: Crash, seen: Seen) -> Held:
    return Held(each, bool(seen.crash) is each.crash, seen.crash or "nothing crashed")


_JUDGES: Mapping[type[Any], Callable[[Any, Seen], Held]] = {
    Output: _output,
    Absent: _absent,
    Count: _count,
    Status: _status,
    Variable: _variable,
    Flash: _flash,
    File: _file,
    Crash: _crash,
}


def _not_reached(name: str) -> str:
    return f"the step that saves `{name}` was not reached" if name else "no step was made"


def _where(name: str, seen: Seen) -> str:
    if name == BOOT:
        return "the boot"
    step = seen.step(name)
    return f"`{told(step.step)}`" if step else name


def told(step: Any) -> str:
    """A step in one line."""
    first = next(iter(vars(step).values()))
    return first if isinstance(first, str) else type(step).__name__.lower()


def _short(text: str) -> str:
    line = " / ".join(text.split("\n"))
    return line if len(line) <= 200 else line[:200] + "..."
