"""One campaign: cases in a row, findings by class, and in the end the smallest case of each."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ubtest.deadline import Deadline
from ubtest.fuzz.case import Case, Cases
from ubtest.fuzz.finding import Finding, Kind, Sighting
from ubtest.fuzz.minimise import Budget, closer, fewer
from ubtest.fuzz.mutation import Mutation
from ubtest.fuzz.oracle import Oracle
from ubtest.fuzz.trial import BATCH, Outcome, Trials

TRIES = 60  # of the firmware, to make one finding smaller


@dataclass(frozen=True)
class Pace:
    """How a campaign is going."""

    stage: str
    cases: int
    seconds: float
    findings: int
    boots: int

    @property
    def rate(self) -> float:
        """Cases a second, boots after crashes included."""
        return self.cases / self.seconds if self.seconds else 0.0


class Campaign:
    """Runs cases and keeps what was found, also when it is interrupted.

    :param on_finding: told of each new class, and again when it became smaller.
    """

    def __init__(
        self,
        cases: Cases,
        trials: Trials,
        oracle: Oracle,
        *,
        on_finding: Callable[[Finding], None] = lambda finding: None,
        on_pace: Callable[[Pace], None] = lambda pace: None,
    ) -> None:
        self._cases = cases
        self._trials = trials
        self._oracle = oracle
        self._on_finding = on_finding
        self._on_pace = on_pace
        self._found: dict[tuple[Kind, str], Finding] = {}
        self.done = 0
        self.seconds = 0.0

    @property
    def findings(self) -> list[Finding]:
        """By class, in the order in which they were seen."""
        return list(self._found.values())

    def run(self, deadline: Deadline, count: int | None = None) -> None:
        """Run cases from number 0 on until the time or the count is over.

        :raises LabError: the board is at fault.
        """
        began = time.monotonic()
        while not deadline.expired and (count is None or self.done < count):
            size = BATCH if count is None else min(BATCH, count - self.done)
            cases = [self._cases[self.done + n] for n in range(size)]
            files = [self._cases.file(case) for case in cases]
            for case, file, outcome in zip(cases, files, self._trials.run(files), strict=True):
                self._take(case, file, outcome)
                self.done += 1
                self.seconds = time.monotonic() - began
            self._say("fuzzing")

    def minimise(self, deadline: Deadline) -> None:
        """Try each finding alone, and make its case as small as it gets in the time."""
        for finding in self.findings:
            if deadline.expired:
                return
            self._say("minimising")
            key = finding.first.key
            finding.alone = self._is(
                key, finding.case, self._trials.alone(finding.file), finding.file
            )
            if finding.alone:
                self._shrink(finding, deadline)
            elif finding.first.kind is Kind.HANG:
                del self._found[key]  # the machine was busy
            self._on_finding(finding)

    def _shrink(self, finding: Finding, deadline: Deadline) -> None:
        key, case = finding.first.key, finding.case

        def fails(file: bytes) -> bool:
            if deadline.expired:
                return False
            (outcome,) = self._trials.run([file])
            return self._is(key, case, outcome, file)

        budget = Budget(fails, TRIES)

        def file_of(mutations: list[Mutation] | tuple[Mutation, ...]) -> bytes:
            return self._cases.file(replace(case, mutations=tuple(mutations)))

        kept = fewer(case.mutations, lambda some: budget(file_of(tuple(some))))
        good = self._cases.file(replace(case, mutations=()))
        finding.smallest = closer(file_of(kept), good, budget)
        finding.needed = tuple(kept)

    def _take(self, case: Case, file: bytes, outcome: Outcome) -> None:
        sighting = self._sighting(case, file, outcome)
        if sighting is None:
            return
        finding = self._found.get(sighting.key)
        if finding is not None:
            finding.looks[sighting.known] += 1
            return
        finding = self._found[sighting.key] = Finding(sighting, case, file, outcome.said)
        finding.looks[sighting.known] += 1
        self._on_finding(finding)

    def _is(self, key: tuple[Kind, str], case: Case, outcome: Outcome, file: bytes) -> bool:
        sighting = self._sighting(case, file, outcome)
        return sighting is not None and sighting.key == key

    def _sighting(self, case: Case, file: bytes, outcome: Outcome) -> Sighting | None:
        return self._oracle.sighting(file, lambda: self._cases.authentic(case), outcome)

    def _say(self, stage: str) -> None:
        found, boots = len(self._found), self._trials.boots
        self._on_pace(Pace(stage, self.done, self.seconds, found, boots))
