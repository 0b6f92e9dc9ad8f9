"""Whether two runs show one bug, and not two that look alike from far away."""

from collections.abc import Iterable

from ubtest.recipe.expectations import Absent, Count, Crash, Expectation, Output
from ubtest.recipe.outcome import Held, Outcome


def same(one: Outcome, other: Outcome) -> bool:
    """Whether they came to one verdict by the same evidence.

    The same symptoms were seen, the same expectations failed, and when the firmware crashed, it did
    so in the same step: one that does not even boot would else count as anything's reproduction.
    """
    return _evidence(one) == _evidence(other)


def _evidence(outcome: Outcome) -> object:
    crashed_in = outcome.steps[-1].step if outcome.crash and outcome.steps else None
    return (
        outcome.verdict,
        _expectations(outcome.seen),
        _expectations(outcome.failed),
        bool(outcome.crash),
        crashed_in,
    )


def _expectations(held: Iterable[Held]) -> list[Expectation]:
    return [each.expectation for each in held]


def proves(outcome: Outcome) -> bool:
    """Whether something was there that must not be: what is only missing, a recipe with a step too
    few lacks as well."""
    return any(
        isinstance(held.expectation, Output | Count | Crash) for held in outcome.seen
    ) or any(isinstance(held.expectation, Absent | Crash) for held in outcome.failed)
