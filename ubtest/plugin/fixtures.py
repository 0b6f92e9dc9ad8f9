"""The nouns of a board test."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle, find
from ubtest.firmware.recipe import check_current
from ubtest.kernel.bundle import KernelBundle
from ubtest.kernel.bundle import find as find_kernel
from ubtest.lab.board import Board
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.strategy import State
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.media.content import Content
from ubtest.media.disk import Disk
from ubtest.plugin.recording import Results, test_folder
from ubtest.plugin.run_state import FAILED, BoardRun, board_run
from ubtest.project import Project


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Results:
    """The folder in which this test keeps what it wants to show."""
    run = board_run(request.config)
    folder = test_folder(run.folder, request.node)
    folder.mkdir(parents=True, exist_ok=True)
    return Results(folder, request.node)


@pytest.fixture(scope="session")
def firmware(request: pytest.FixtureRequest) -> Bundle:
    """The firmware under test."""
    return board_run(request.config).firmware


@pytest.fixture(scope="session")
def variant(request: pytest.FixtureRequest) -> Callable[[str], Bundle]:
    """Finds another build of this board's firmware, by the name of its variant.

    :raises HostError: it is not built; names the command.
    :raises CaseError: its configuration changed since it was built.
    """
    run = board_run(request.config)
    project = Project.find(run.env_file)

    def of(name: str) -> Bundle:
        found = find(run.board.machine.firmware, name, run.firmware.version)
        check_current(found, project)
        return found

    return of


@pytest.fixture(scope="session")
def keyring(request: pytest.FixtureRequest) -> KeyRing:
    """The keys that `ubtest keys make` made; `keyring["trusted"]` signs what is accepted."""
    return KeyRing.load(Project.find(board_run(request.config).env_file).keys)


@pytest.fixture
def board(request: pytest.FixtureRequest, results: Results) -> Iterator[Board]:
    """The board, powered off, with fresh flash and no disk; its console is recorded."""
    run = board_run(request.config)
    with _recorded(run, results):
        try:
            _renew(run)
            yield run.board
        finally:
            run.board.strategy.lost()
            run.board.off()


@pytest.fixture(scope="session")
def prompt_disk() -> Callable[[], Disk] | None:
    """Makes the disk that :func:`prompt` has, anew for each board; None for no disk. A folder or a
    file of tests may have one of its own."""
    return None


@pytest.fixture
def prompt(
    request: pytest.FixtureRequest, results: Results, prompt_disk: Callable[[], Disk] | None
) -> Iterator[Board]:
    """The board at U-Boot's prompt for a test that leaves no trace there, without a disk unless
    `prompt_disk` makes one.

    It is not booted again after a test that left the flash as it was; any other test, and any
    failure, costs the next one a fresh board.
    """
    run = board_run(request.config)
    with _recorded(run, results):
        as_new = run.untouched is not None and run.inside is prompt_disk
        if not as_new or run.board.strategy.status is not State.uboot:
            _renew(run)
            if prompt_disk is not None:
                run.board.machine.attach(prompt_disk(), run.board.storage.bus)
            run.inside = prompt_disk
            run.untouched = _watched(run)
            run.board.boot()
        yield run.board
        failed = request.node.stash.get(FAILED, False)
        if failed or _watched(run) != run.untouched:
            run.untouched = None
            run.board.strategy.lost()
            run.board.off()


@pytest.fixture(scope="session")
def kernel(request: pytest.FixtureRequest) -> KernelBundle:
    """The kernel that `--kernel` names.

    :raises HostError: it is not in the cache; names the command that fetches it.
    """
    return find_kernel(request.config.getoption("kernel"))


@pytest.fixture
def linux(
    request: pytest.FixtureRequest, results: Results, kernel: KernelBundle
) -> Iterator[LinuxShellDriver]:
    """The shell of a kernel that U-Boot's EFI boot manager started, for a test that leaves no
    trace there.

    It is not booted again after such a test. A test that does leave one says so with
    ``@pytest.mark.mutates("linux")``: that, and any failure, costs the next one a boot. A test
    that wants a boot of its own takes ``board`` and calls ``board.linux()``.
    """
    run = board_run(request.config)
    with _recorded(run, results):
        if not run.shared_linux or run.board.strategy.status is not State.linux:
            _renew(run)
            run.board.linux(LinuxBoot(kernel))
            run.shared_linux = True
        shell = run.board.shell
        yield shell
        failed = request.node.stash.get(FAILED, False)
        if failed or "linux" in _mutated(request):
            run.shared_linux = False
            run.board.strategy.lost()
            run.board.off()
        else:
            shell.check("true")  # a kernel that died meanwhile is this test's finding


@contextmanager
def _recorded(run: BoardRun, results: Results) -> Iterator[None]:
    """Keep the console and how the board was started, also where that failed."""
    try:
        with run.board.uboot.transcript.recording(results.folder / "console.log"):
            yield
    finally:
        results.note("console", str(results.folder / "console.log"))
        lines = [shlex.join(line) + "\n" for line in run.board.machine.command_lines]
        results.keep("qemu.txt", "".join(lines))


def _mutated(request: pytest.FixtureRequest) -> set[str]:
    return {arg for mark in request.node.iter_markers("mutates") for arg in mark.args}


def _renew(run: BoardRun) -> None:
    run.untouched, run.shared_linux = None, False
    run.board.off()
    run.board.machine.bundle = run.firmware
    image = run.board.updatable
    run.board.machine.renew({image.offset: image.old_content} if image else None)


def _watched(run: BoardRun) -> Content:
    """The flash that a test must leave as it was: the updatable image's, else the first."""
    image = run.board.updatable
    return run.board.machine.content(image.flash if image else 0)


@pytest.fixture
def uboot(board: Board) -> UBootConsoleDriver:
    """The board at U-Boot's prompt, without a disk."""
    return board.boot()


class Flash:
    """The flash chip with the updatable image, read behind the firmware's back."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.image = board.image
        self.before = board.machine.content(self.image.flash)

    @property
    def now(self) -> Content:
        """The whole chip as it is at this moment."""
        return self._board.machine.content(self.image.flash)

    @property
    def region(self) -> bytes:
        """The image's region as it is at this moment."""
        return self.now[self.image.region]

    @property
    def changes(self) -> list[range]:
        """Every range of the chip that differs from the start of the test."""
        return self.before.changes(self.now)

    @property
    def changes_outside(self) -> list[range]:
        """The changed ranges that are not wholly inside the image's region."""
        region = range(self.image.offset, self.image.offset + self.image.size)
        return [r for r in self.changes if not (r.start in region and r.stop - 1 in region)]


@pytest.fixture
def flash(request: pytest.FixtureRequest, board: Board) -> Iterator[Flash]:
    """The flash that the image under update lives in.

    A test that changes it says so with ``@pytest.mark.mutates("flash")``.
    """
    flash = Flash(board)
    yield flash
    if request.node.stash.get(FAILED, False):
        return  # the verdict is there; what the flash holds now may be the firmware's doing
    if "flash" not in _mutated(request) and (changes := flash.changes):
        raise CaseError(
            f"the test changed the flash at {_shown(changes)} and did not say so",
            next_step='mark it with @pytest.mark.mutates("flash")',
        )


def _shown(ranges: list[range]) -> str:
    return ", ".join(f"{r.start:#x}..{r.stop:#x}" for r in ranges)
