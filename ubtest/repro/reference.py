"""What the whole recipe shows on each firmware: what a smaller one must show as well."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, LabError
from ubtest.firmware.bundle import Bundle
from ubtest.recipe.outcome import Outcome, Verdict
from ubtest.recipe.schema import Recipe
from ubtest.repro.evidence import proves, same
from ubtest.repro.verdict import Lacking, run_on


@dataclass(frozen=True)
class Reference:
    """Outcomes of the whole recipe; those with the bug come first: most smaller recipes lose it."""

    board: Path
    shown: tuple[tuple[Bundle, Outcome], ...]

    @classmethod
    def of(cls, recipe: Recipe, board: Path, bundles: Sequence[Bundle]) -> "Reference":
        """Run it.

        :raises CaseError: no firmware shows the bug, or nothing tells it from a step that is
            missing.
        """
        shown = list[tuple[Bundle, Outcome]]()
        for bundle in bundles:
            with suppress(Lacking):  # such a firmware says nothing
                shown.append((bundle, run_on(recipe, board, bundle)))
        if not shown:
            raise CaseError(
                "no firmware has what the recipe needs",
                next_step=f"name one with {', '.join(recipe.needs)}",
            )
        shown.sort(key=lambda each: each[1].verdict is not Verdict.REPRODUCED)
        made = cls(board, tuple(shown))
        first = shown[0][1]
        if first.verdict is not Verdict.REPRODUCED:
            raise CaseError(
                f"{first.verdict.value}: {first.reason}", next_step="name a firmware with the bug"
            )
        if not made.compared and not proves(first):
            raise CaseError(
                "a recipe that lacks a step fails as well: nothing tells that from the bug",
                next_step="name a second firmware, one without the bug, or write a `symptom`",
            )
        return made

    @property
    def compared(self) -> bool:
        """Whether a firmware without the bug is among them: else a device that is missing may look
        like one that is not found."""
        return any(each.verdict is Verdict.NOT_REPRODUCED for _, each in self.shown)

    def holds(self, recipe: Recipe) -> bool:
        """Whether a recipe shows the same on each firmware."""
        return all(self._same(recipe, bundle, outcome) for bundle, outcome in self.shown)

    def _same(self, recipe: Recipe, bundle: Bundle, outcome: Outcome) -> bool:
        try:
            return same(run_on(recipe, self.board, bundle), outcome)
        except (CaseError, LabError):
            return False
