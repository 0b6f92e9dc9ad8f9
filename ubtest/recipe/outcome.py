"""What came of a recipe, and what it says about the bug."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ubtest.recipe.expectations import Expectation
from ubtest.recipe.steps import Step


class Verdict(enum.Enum):
    """Whether a run showed what a recipe is about."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class StepOutcome:
    """What one step gave.

    :param output: safe to print; None for a step that has none.
    :param status: the return code; None where there is none, or the board was reset.
    """

    step: Step
    output: str | None = None
    status: int | None = None


@dataclass(frozen=True)
class Held:
    """Whether an expectation held, or a symptom was seen.

    :param why: what was there instead, or what was found.
    :param captures: the named groups of its regular expression.
    """

    expectation: Expectation
    holds: bool
    why: str
    captures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """One run of a recipe.

    :param steps: those that were made; the firmware crashed in the last one when there is a crash.
    :param expected: one for each expectation of the recipe, in order, and "no crash" behind them
        where the recipe does not say so itself.
    :param symptoms: one for each symptom of the recipe, in order.
    :param crash: what the firmware or kernel did instead of going on; empty when it did go on.
    """

    steps: tuple[StepOutcome, ...]
    expected: tuple[Held, ...]
    symptoms: tuple[Held, ...] = ()
    crash: str = ""

    @property
    def failed(self) -> tuple[Held, ...]:
        """The expectations that did not hold."""
        return tuple(held for held in self.expected if not held.holds)

    @property
    def seen(self) -> tuple[Held, ...]:
        """The symptoms that were seen."""
        return tuple(held for held in self.symptoms if held.holds)

    @property
    def verdict(self) -> Verdict:
        """A symptom proves the bug; where the recipe has none, an expectation that failed does."""
        if self.seen or (self.failed and not self.symptoms):
            return Verdict.REPRODUCED
        return Verdict.CANNOT_TELL if self.failed else Verdict.NOT_REPRODUCED

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one line for each thing."""
        return "\n".join(self._reasons())

    def _reasons(self) -> Iterator[str]:
        if self.crash:
            yield self.crash
        yield from (f"seen: {held.why}" for held in self.seen)
        yield from (f"expected: {held.why}" for held in self.failed)
        if self.verdict is Verdict.CANNOT_TELL:
            yield "none of the symptoms was seen"
        if self.verdict is Verdict.NOT_REPRODUCED:
            count = len(self.expected)
            yield f"all {count} expectations hold" if count > 1 else "the expectation holds"
