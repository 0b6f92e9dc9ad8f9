"""Several boards of one kind at once, by pytest-xdist's ``-n``: what the run and its workers share.

Each worker is a pytest of its own with a board of its own; the run itself only collects.
"""

from pathlib import Path
from typing import Any

import pytest

from ubtest.errors import CaseError
from ubtest.lab.process_board import ProcessBoardDriver
from ubtest.plugin.run_state import FOLDER, RUN, BoardRun

_SHARED = "ubtest"  # our key in what xdist carries to and from a worker


def folder_of_run(config: pytest.Config) -> Path | None:
    """In a worker the folder of the run that it belongs to, else None."""
    carried = getattr(config, "workerinput", {})
    return Path(carried[_SHARED]) if _SHARED in carried else None


def check_board_can_be_many(config: pytest.Config, run: BoardRun) -> None:
    """There is one board on a desk; a process of this machine can be started twice.

    :raises CaseError: ``-n`` was given with a board that is a thing.
    """
    many = config.getoption("numprocesses", default=None)
    if many and not isinstance(run.board.machine, ProcessBoardDriver):
        raise CaseError(
            f"-n {many}: {run.env_file} is one board", next_step="leave -n out: tests take turns"
        )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where results go."""
    if FOLDER in node.config.stash:
        node.workerinput[_SHARED] = str(node.config.stash[FOLDER])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker's part of what the summary says."""
    carried = getattr(session.config, "workeroutput", None)
    run = session.config.stash.get(RUN, None)
    if carried is not None and run is not None:
        carried[_SHARED] = {"not_run": run.not_run, "asked": run.capabilities.asked}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's part into the run's summary; a worker that died has none."""
    run = node.config.stash.get(RUN, None)
    if run is not None and (told := getattr(node, "workeroutput", {}).get(_SHARED)):
        run.not_run.update(told["not_run"])
        run.capabilities.asked.update(told["asked"])


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(report: pytest.TestReport) -> None:
    """A worker that died in a test is no verdict on the firmware: an error, as in a fixture."""
    report.when = "setup"
