"""What preflight says: one finding a check, and the verdict of all of them."""

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """What a finding means for the capsule."""

    OK = "ok"
    NOTE = "note"  # would be taken; but look at this
    PROBLEM = "problem"  # would not be taken
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    :param check: its name.
    :param what: what was found.
    :param why: why it matters, with the place in U-Boot or the specification.
    :param fix: commands that mend it, "=> " in front of those for U-Boot's prompt, "$ " of those
        for the host.
    """

    check: str
    severity: Severity
    what: str
    why: str = ""
    fix: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a check makes of the facts; its name comes from the table."""

    severity: Severity
    what: str
    why: str = ""
    fix: tuple[str, ...] = ()


def ok(what: str) -> Answer:
    return Answer(Severity.OK, what)


def note(what: str, why: str, *fix: str) -> Answer:
    return Answer(Severity.NOTE, what, why, fix)


def problem(what: str, why: str, *fix: str) -> Answer:
    return Answer(Severity.PROBLEM, what, why, fix)


def unknown(what: str, why: str = "") -> Answer:
    return Answer(Severity.UNKNOWN, what, why)


@dataclass(frozen=True)
class Report:
    """All findings, in the order in which the firmware would come to them."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        return self.of(Severity.PROBLEM)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.severity is severity)

    @property
    def verdict(self) -> str:
        """One line: would be taken, would not, or cannot tell; with the first reason."""
        if self.problems:
            return f"would not be taken: {self.problems[0].what}"
        if unknowns := self.of(Severity.UNKNOWN):
            names = ", ".join(each.check for each in unknowns)
            return f"cannot tell: nothing stands against it, but not all was answered ({names})"
        return "would be taken"

    @property
    def exit_code(self) -> int:
        """0 would be taken, 1 would not, 2 cannot tell."""
        if self.problems:
            return 1
        return 2 if self.of(Severity.UNKNOWN) else 0
