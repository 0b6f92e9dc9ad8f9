"""Whose fault decides the verdict: the firmware's is a failure, everybody else's an error."""

import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

import ubtest
from ubtest.errors import CaseError, FirmwareError, UbtestError


class Terminal(Protocol):
    """What pytest gives us to write on."""

    def line(self, s: str = "", **markup: bool) -> None: ...


@dataclass(frozen=True)
class Crash:
    """The one line that pytest's short summary shows."""

    message: str


@dataclass(frozen=True)
class Account:
    """An error of ours as pytest shows it: where the test met it, what happened, what to do."""

    where: str
    error: UbtestError

    @property
    def reprcrash(self) -> Crash:
        return Crash(f"{self.error.owner}: {self.error.message.splitlines()[0]}")

    def toterminal(self, terminal: Terminal) -> None:
        terminal.line(self.where)
        terminal.line(str(self.error), red=True)

    def __str__(self) -> str:
        return f"{self.where}\n{self.error}"


FIRMWARE_FAULTS = (AssertionError, FirmwareError, pytest.fail.Exception)


def judge(call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Move a report to the phase that pytest shows with the right verdict.

    pytest counts what breaks in the test itself as "failed" and what breaks in a fixture as
    "error", on the terminal and in the JUnit file. What counts here is whose fault it is: in a
    board test, a failed assertion or a FirmwareError is the firmware's, all else is not.
    """
    error = call.excinfo.value if call.excinfo else None
    if error is None or not report.failed:
        return
    if isinstance(error, FirmwareError):
        report.when = "call"
    elif report.when == "call" and not isinstance(error, FIRMWARE_FAULTS):
        report.when = "setup"
    if isinstance(error, UbtestError):
        report.longrepr = Account(_where(call, report), error)  # type: ignore[assignment]


def refuse_skip(call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Turn a skip into an error, for ``--strict-capabilities``."""
    assert call.excinfo is not None
    error = CaseError(
        f"did not run: {call.excinfo.value}", next_step="run without --strict-capabilities to skip"
    )
    report.outcome, report.when = "failed", "setup"
    report.longrepr = Account(report.nodeid, error)  # type: ignore[assignment]


def _where(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    """The user's line that met the error; where there is none, the test."""
    assert call.excinfo is not None
    ours = (Path(ubtest.__file__).parent, Path(sysconfig.get_path("stdlib")))
    for entry in reversed(list(call.excinfo.traceback)):
        path = Path(entry.path)
        foreign = "site-packages" in path.parts or any(path.is_relative_to(o) for o in ours)
        if not foreign:
            return f"{path}:{entry.lineno + 1}: {str(entry.statement).strip()}"
    return report.nodeid
