"""A bisection with firmware: each commit is built, and a recipe run on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ubtest.errors import CaseError, LabError
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.progress import OnProgress, Progress, silent
from ubtest.firmware.source import Source
from ubtest.recipe.outcome import Outcome, Verdict
from ubtest.repro.bisect import Answer, search, steps_left
from ubtest.repro.evidence import same
from ubtest.repro.history import History, Revision


@dataclass(frozen=True)
class Step:
    """What one commit showed.

    :param left: how many commits it could be when this one was asked.
    """

    revision: Revision
    answer: Answer
    why: str
    left: int
    seconds: float


@dataclass
class Bisection:
    """The search for the commit that brought a bug, or that mended it.

    :param checkout: the source of a commit.
    :param build: firmware from it; a `CaseError` means that this commit does not build.
    :param attempt: one run of the recipe; a `CaseError` or `LabError` means that nobody can tell.
    :param mended: the old end has the bug, the new one does not.
    :param on_step: told what each commit showed.
    """

    history: History
    checkout: Callable[[str], Source]
    build: Callable[[Source, OnProgress], Bundle]
    attempt: Callable[[Bundle], Outcome]
    mended: bool = False
    on_step: Callable[[Step], None] = lambda step: None
    on_progress: OnProgress = silent
    steps: list[Step] = field(default_factory=list)
    _reference: Outcome | None = None
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> tuple[Revision, ...]:
        """Look at both ends, then search between them.

        :returns: the first commit that shows what the new end shows, or several, oldest first, of
            which skipped ones hide which it is.
        :raises CaseError: an end does not show what it must.
        :raises HostError: this machine cannot build.
        """
        commits = [revision.commit for revision in self.history.revisions]
        ends = [(self.history.old.commit.name, Answer.OLD), (commits[-1].name, Answer.NEW)]
        # First the one with the bug: its evidence is what all others are compared with
        for name, wanted in ends if self.mended else reversed(ends):
            self._check(name, wanted, len(commits))
        return tuple(self.history[name] for name in search(commits, self._ask))

    def _check(self, name: str, wanted: Answer, left: int) -> None:
        answer = self._ask(name, left)
        if answer is wanted:
            return
        why = self.steps[-1].why
        revision = self.history[name]
        end = "old" if wanted is Answer.OLD else "new"
        must = "show" if (wanted is Answer.OLD) is self.mended else "not show"
        other = "a range whose new end has the bug" if self.mended else "--first-fixed"
        raise CaseError(
            f"the {end} end of the range must {must} the bug, and {revision.short}: {why}",
            next_step="take another end"
            if answer is Answer.SKIP
            else f"take another end, or turn the question around: {other}",
        )

    def _ask(self, name: str, left: int) -> Answer:
        began = time.monotonic()
        revision = self.history[name]
        answer, why = self._look(revision, self._ahead(left))
        self.steps.append(Step(revision, answer, why, left, time.monotonic() - began))
        self.on_step(self.steps[-1])
        return answer

    def _look(self, revision: Revision, ahead: str) -> tuple[Answer, str]:
        def show(now: Progress) -> None:
            self.on_progress(replace(now, stage=f"{ahead}: {now.stage}"))

        show(Progress(f"{revision.short} {revision.subject}"))
        try:
            firmware = self.build(self.checkout(revision.commit.name), show)
        except CaseError as error:
            return Answer.SKIP, error.message
        show(Progress(f"running the recipe on {revision.short}"))
        try:
            outcome = self.attempt(firmware)
        except (CaseError, LabError) as error:
            return Answer.SKIP, f"cannot tell: {error.message}"
        return self._judge(outcome)

    def _judge(self, outcome: Outcome) -> tuple[Answer, str]:
        why = f"{outcome.verdict.value}: {outcome.reason}"
        if outcome.verdict is Verdict.NOT_REPRODUCED:
            return (Answer.NEW if self.mended else Answer.OLD), why
        if outcome.verdict is Verdict.CANNOT_TELL:
            return Answer.SKIP, why
        if self._reference is None:
            self._reference = outcome
        if not same(outcome, self._reference):
            return Answer.SKIP, f"not as at the end of the range: {outcome.reason}"
        return (Answer.OLD if self.mended else Answer.NEW), why

    def _ahead(self, left: int) -> str:
        ahead = steps_left(left)
        text = f"{left} commits left, steps to go: {ahead}"
        if self.steps:
            each = (time.monotonic() - self._began) / len(self.steps)
            text += f" of {each:.0f} s, about {max(each * ahead / 60, 1):.0f} min"
        return text
