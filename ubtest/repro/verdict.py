"""A recipe on one firmware, and what that says about the bug."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ubtest.errors import CaseError, LabError, UbtestError
from ubtest.firmware.bundle import Bundle
from ubtest.handoff import explanation as handoff
from ubtest.handoff.binding import examine
from ubtest.lab.board import Board
from ubtest.lab.open_board import open_board
from ubtest.lab.strategy import State
from ubtest.plugin.capabilities import Capabilities
from ubtest.recipe.judge import told
from ubtest.recipe.outcome import Outcome, StepOutcome, Verdict
from ubtest.recipe.runner import run
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Shell
from ubtest.repro.comparison import Spoken, trouble

AtEnd = Callable[[Board], None]
_PCI = re.compile(r"\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b")
NOTHING_SAID = (
    "the report does not say what goes wrong in a way that a run can show: give its recipe a "
    "symptom or an expectation"
)


class Lacking(CaseError):
    """A firmware or a board cannot do what a recipe needs: it says nothing about the bug."""


@dataclass(frozen=True)
class Trial:
    """What came of a recipe on one firmware.

    :param firmware: U-Boot's own line.
    :param reason: one line for each thing.
    :param outcome: None where the recipe could not be run.
    :param explanation: `ubtest vfio explain` on the target, where devices were given to VFIO.
    """

    version: str
    firmware: str
    verdict: Verdict
    reason: str
    seconds: float = 0.0
    outcome: Outcome | None = None
    explanation: handoff.Explanation | None = None

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """What was typed and what came back."""
        steps = self.outcome.steps if self.outcome else ()
        return tuple(
            Spoken(told(each.step), tuple(each.output.splitlines()))
            for each in steps
            if each.output is not None
        )


def run_on(
    recipe: Recipe, env_file: Path, firmware: Bundle, at_end: AtEnd = lambda board: None
) -> Outcome:
    """Run a recipe on a board of its own with this firmware; nothing of it is left behind.

    :param at_end: given the board after the last step, still on.
    :raises Lacking: the board or the firmware has not what the recipe needs.
    :raises CaseError: the recipe or the board file is wrong.
    :raises HostError: this machine lacks something.
    :raises LabError: the lab failed.
    """
    with (
        TemporaryDirectory(prefix="ubtest-repro-") as folder,
        open_board(env_file, firmware) as board,
    ):
        wanted = Capabilities(firmware.config, board.features, firmware.traits.needs)
        if missing := wanted.missing(recipe.needs):
            raise Lacking(missing, next_step="take a firmware and a board that have it")
        return run(recipe, board, Path(folder), at_end)


def attempt(
    recipe: Recipe,
    env_file: Path,
    firmware: Bundle,
    *,
    conclusive: bool = True,
    drafted: bool = False,
) -> Trial:
    """The verdict of :func:`run_on`; where the lab fails, or something lacks, it cannot be told.

    :param conclusive: whether the recipe can show the bug at all; see :class:`Draft`.
    :param drafted: see :func:`judged`.
    :raises CaseError: the recipe or the board file is wrong.
    :raises HostError: this machine lacks something.
    """
    start = time.monotonic()
    looked = _Look(recipe)
    outcome = None
    try:
        outcome = run_on(recipe, env_file, firmware, looked)
        verdict, reason = judged(outcome, conclusive, drafted)
    except Lacking as error:
        verdict, reason = Verdict.CANNOT_TELL, error.message
    except LabError as error:
        verdict, reason = Verdict.CANNOT_TELL, str(error)
    return Trial(
        firmware.version,
        firmware.banner,
        verdict,
        "\n".join([reason, *looked.words]),
        time.monotonic() - start,
        outcome,
        looked.explanation,
    )


def judged(outcome: Outcome, conclusive: bool = True, drafted: bool = False) -> tuple[Verdict, str]:
    """The verdict of an outcome, and why.

    :param drafted: the recipe was made of a mail. Its commands may ask for what only the reporter's
        board has: then nothing was shown, unless a symptom was seen.
    """
    missed = [each for each in outcome.steps if each.status]
    if conclusive and drafted and missed and not outcome.seen:
        lines = [
            f"`{told(each.step)}` returned {each.status} here{_saying(each)}" for each in missed
        ]
        lines.append("no symptom was seen, and this board may lack what the report is about")
        return Verdict.CANNOT_TELL, "\n".join(lines)
    if conclusive:
        lines = outcome.reason.splitlines()
        if outcome.seen:  # evidence enough
            lines = [line for line in lines if not line.startswith("expected: ")]
        if outcome.verdict is Verdict.NOT_REPRODUCED and outcome.symptoms:
            lines.append("none of the symptoms was seen")
        return outcome.verdict, "\n".join(lines)
    crash = f"{outcome.crash}\n" if outcome.crash else ""
    return Verdict.CANNOT_TELL, crash + NOTHING_SAID


def _saying(step: StepOutcome) -> str:
    """The line of trouble in what a step printed."""
    lines = [line.strip() for line in (step.output or "").splitlines() if trouble(line)]
    return f": {lines[-1][:100]}" if lines else ""


def narrowed(recipe: Recipe, trials: Iterable[Trial]) -> Recipe:
    """The recipe with those symptoms alone that were seen, where any was: it says the same of these
    firmwares, and a draft has each line of trouble in the output of each step."""
    outcomes = [each.outcome for each in trials if each.outcome]
    seen = {held.expectation for each in outcomes for held in each.seen}
    kept = tuple(each for each in recipe.symptom if each in seen)
    return replace(recipe, symptom=kept) if kept else recipe


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """1 reproduced somewhere, else 2 when one cannot be told or there is none, else 0."""
    said = set(verdicts)
    if Verdict.REPRODUCED in said:
        return 1
    return 0 if said == {Verdict.NOT_REPRODUCED} else 2


class _Look:
    """What VFIO says of the devices of a recipe that ends on Linux."""

    def __init__(self, recipe: Recipe) -> None:
        lines = [step.shell for step in recipe.steps if isinstance(step, Shell)]
        asked = any("vfio" in line for line in lines)
        found = (name for line in lines for name in _PCI.findall(line))
        self.names = tuple(dict.fromkeys(found)) if asked else ()
        self.explanation: handoff.Explanation | None = None
        self.words: tuple[str, ...] = ()

    def __call__(self, board: Board) -> None:
        if not self.names or board.strategy.status is not State.linux:
            return
        try:
            self.explanation = handoff.explain(examine(board.shell, self.names), self.names)
        except UbtestError as error:
            self.words = (f"VFIO was not examined: {error.message}",)
            return
        self.words = tuple(line for each in self.explanation.verdicts for line in _explained(each))


def _explained(said: handoff.Verdict) -> Iterator[str]:
    """The cause with its ways out, then what is hidden behind it."""
    name = said.facts.device.name
    for number, each in enumerate(said.diagnoses):
        yield f"{'behind that' if number else name}: {each.cause} [{each.name}]"
        yield from (f"way out: {fix}" for fix in each.fix)
    if not said.diagnoses:
        yield f"{name}: {said.sentence}"
