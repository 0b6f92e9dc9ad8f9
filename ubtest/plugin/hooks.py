"""The pytest hooks: options, markers, what runs, whose fault it is, what did not run and why."""

import signal
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest
from labgrid.config import Config
from labgrid.exceptions import InvalidConfigError

from ubtest.errors import CaseError, FirmwareError, UbtestError
from ubtest.kernel.bundle import DEFAULT
from ubtest.kernel.bundle import find as find_kernel
from ubtest.plugin.known_bugs import known_bug
from ubtest.plugin.recording import run_folder
from ubtest.plugin.run_state import FAILED, FOLDER, RUN, board_run, open_run
from ubtest.plugin.summary import write_summary
from ubtest.plugin.verdict import judge, refuse_skip
from ubtest.plugin.workers import check_board_can_be_many, folder_of_run

MARKERS = (
    "needs(*names): what must be there: CONFIG symbols of the firmware without the prefix "
    '("EFI_CAPSULE_AUTHENTICATE", or "!X" for a symbol that must be off), what a version has '
    '("auto-boot-options"), or features of the board file ("flash-readback"); a test whose need is '
    "missing is skipped with the reason, or is an error where the board file promises it",
    'mutates(*what): what of the board the test changes: "flash", whose undeclared change is an '
    'error, or "linux", the running system of the fixture `linux`',
    "slow: belongs to a group that takes a minute or more; runs with --slow only",
    "variant: wants more than `make setup` gets, such as another build of the board's firmware; "
    "comes by itself with the fixture `variant` and with a parameter `kernel`",
    "known_bug(name): shows a bug of ubtest/cases/known_bugs.yaml; a strict xfail on the versions "
    "that have it, an ordinary test on all others",
)

# labgrid's logger warns about a console that never sent a byte; we say so ourselves, as an error
LABGRID_SILENCE = "ignore:unhandled exception during event notification:UserWarning"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ubtest", "boards and firmware (with --lg-env)")
    group.addoption(
        "--firmware",
        type=Path,
        metavar="PATH",
        help="test this firmware: a bundle, a build directory, or a u-boot.bin with its .config "
        "beside it; default: the newest bundle of `ubtest firmware list` for the board",
    )
    group.addoption(
        "--kernel",
        default=DEFAULT,
        metavar="ORIGIN",
        help="boot this kernel of `ubtest kernel list` (default: %(default)s)",
    )
    group.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    group.addoption(
        "--strict-capabilities",
        action="store_true",
        help="a test that would be skipped is an error",
    )
    group.addoption(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="where transcripts, artefacts and junit.xml go, one folder a run (default: results)",
    )
    parser.addini(
        "board_testpaths", "what `pytest --lg-env FILE` runs when nothing is named", "args", []
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.addinivalue_line("filterwarnings", LABGRID_SILENCE)
    env_file = config.getoption("lg_env")
    if env_file is None or config.getoption("help") or config.getoption("markers"):
        return
    _check_env_file(Path(env_file))
    boards = config.getini("board_testpaths")
    if boards and config.args_source is not config.ArgsSource.ARGS:
        config.args = [str(config.rootpath / path) for path in boards]
        config.args_source = config.ArgsSource.ARGS  # or the header names the other testpaths
    if config.getoption("collectonly"):
        return
    if (folder := folder_of_run(config)) is not None:
        config.stash[FOLDER] = folder
        return
    try:
        folder = run_folder(config.rootpath / config.getoption("results"), Path(env_file).stem)
    except UbtestError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[FOLDER] = folder
    if not config.option.xmlpath:
        config.option.xmlpath = str(folder / "junit.xml")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at board and firmware once, before the first test could blame the firmware."""
    config = session.config
    if FOLDER not in config.stash:
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        config.stash[RUN] = open_run(config)
        check_board_can_be_many(config, config.stash[RUN])
    except CaseError as error:
        raise pytest.UsageError(str(error)) from error
    except UbtestError as error:
        pytest.exit(str(error), returncode=error.exit_code)


def pytest_report_header(config: pytest.Config) -> list[str]:
    run = config.stash.get(RUN, None)
    if run is None:
        return []
    source = run.firmware.manifest.get("source", run.firmware.path)
    return [
        f"board: {run.env_file}",
        f"firmware: {run.firmware.banner}, from {source}",
        f"results: {run.folder}",
    ]


def pytest_itemcollected(item: pytest.Item) -> None:
    fixtures = getattr(item, "fixturenames", ())
    if "variant" in fixtures or _kernel_of(item) not in (None, DEFAULT):
        item.add_marker("variant")
    if "linux" in fixtures:
        item.add_marker(pytest.mark.needs("linux"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out, and remember that they did not run."""
    if config.getoption("slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)
    if run := config.stash.get(RUN, None):
        run.not_run.update({item.nodeid: "slow: add --slow" for item in slow})


@pytest.hookimpl(wrapper=True, trylast=True)  # inside of pytest's wrappers, before labgrid's hook
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Decide whether a test can run, before any fixture is made."""
    run = item.config.stash.get(RUN, None)
    if run is None:
        if {"env", "target", "strategy"} & set(getattr(item, "fixturenames", ())):
            board_run(item.config)  # raises; labgrid would skip, or die of an AttributeError
        return (yield)
    needed = tuple(name for mark in item.iter_markers("needs") for name in mark.args)
    if why := run.capabilities.missing(needed):
        item.add_marker(pytest.mark.skip(reason=why))
    for mark in item.iter_markers("known_bug"):
        bug = known_bug(*mark.args)
        if (
            bug.kernels.affected(_kernel(item))
            if bug.kernels
            else bug.affects(run.firmware.version)
        ):
            item.add_marker(
                pytest.mark.xfail(
                    reason=str(bug), raises=(AssertionError, FirmwareError), strict=True
                )
            )
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is None:
        return report
    if call.excinfo is not None:
        item.stash[FAILED] = True  # also where it was expected
    if report.skipped and not hasattr(report, "wasxfail"):
        run.not_run[item.nodeid] = str(call.excinfo.value) if call.excinfo else "skipped"
        if item.config.getoption("strict_capabilities"):
            refuse_skip(call, report)
    judge(call, report)
    if report.failed:
        tail = run.board.uboot.transcript.tail()
        report.sections.append((f"console; all of it is in {run.folder}", tail))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    run = terminalreporter.config.stash.get(RUN, None)
    if run is not None:
        write_summary(terminalreporter, run)


def _kernel(item: pytest.Item) -> str:
    """The version of Linux that a test boots: its parameter `kernel`, else `--kernel`.

    :raises HostError: it is not in the cache; names the command that fetches it.
    """
    return find_kernel(str(_kernel_of(item) or item.config.getoption("kernel"))).version


def _kernel_of(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("kernel") if callspec else getattr(item, "kernel", None) or None


def _check_env_file(path: Path) -> None:
    """Read the board file before labgrid does, whose error would be pytest's internal one."""
    if not path.is_file():
        there = sorted(str(file) for file in path.parent.glob("*.yaml"))
        raise pytest.UsageError(
            f"--lg-env: there is no board file {path}"
            + (f"\n  -> there are: {', '.join(there)}" if there else "")
        )
    try:
        Config(str(path))
    except InvalidConfigError as error:
        raise pytest.UsageError(f"--lg-env {path}: {error.msg}") from error


def _terminate(number: int, frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C: with every fixture torn down."""
    raise KeyboardInterrupt
