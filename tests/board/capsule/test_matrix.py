"""The capsule table (ubtest/cases/capsule_*.py) on the live firmware, row by row."""

from collections.abc import Callable

import pytest

from ubtest.cases.capsule_case import Bench, Case, Effect, Path
from ubtest.cases.capsule_headers import HEADERS
from ubtest.cases.capsule_signatures import SIGNATURES
from ubtest.formats.status import SUCCESS
from ubtest.media.disk import MINIMUM
from ubtest.uefi.capsules import update_from_memory

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "flash-readback"),
    pytest.mark.slow,  # hundreds of rows: a minute and a half, and half a minute more at boot
]

IMAGE = b"new firmware! " * 35  # 490 bytes: every word costs U-Boot 0.4 ms here


def rows(path: Path) -> list:
    """The rows that run on a path, each with its marks, named after table and difference."""

    def row(table: str, case: Case):
        marks = [pytest.mark.mutates("flash")] if case.effect is Effect.WRITTEN else []
        if case.bug and path in case.bug_on:
            marks.append(pytest.mark.known_bug(case.bug))
        if path is Path.BOOT and case.status is not None:
            marks.append(pytest.mark.known_bug("boot-time-results-lost"))
        return pytest.param(case, id=f"{table}: {case.differs}", marks=marks)

    tables = {**HEADERS, **SIGNATURES}
    return [row(t, case) for t, cases in tables.items() for case in cases if path in case.paths]


@pytest.fixture
def bench(request, keyring) -> Bench:
    """What every row is made from."""
    board = request.getfixturevalue("prompt" if "prompt" in request.fixturenames else "board")
    return Bench(keyring, board.image.image_type, board.image.index, IMAGE)


@pytest.mark.needs("EFI_RUNTIME_UPDATE_CAPSULE")
@pytest.mark.parametrize("case", rows(Path.MEMORY))
def test_from_memory(case: Case, prompt, bench, results):
    capsule = case.make(bench)
    results.keep("case.cap", capsule)
    before = prompt.machine.content(prompt.image.flash)

    accepted = update_from_memory(prompt, capsule)

    after = prompt.machine.content(prompt.image.flash)
    wanted = case.flash_after(bench, before, prompt.image.region)
    assert wanted.changes(after) == []
    assert accepted == (case.status == SUCCESS)


@pytest.fixture
def check(board, bench, update, flash, results) -> Callable[[Case, Path], None]:
    """Gives a row to the firmware as a file, and looks at all that is left of it."""

    def check(case: Case, path: Path) -> None:
        capsule = case.make(bench)
        results.keep("case.cap", capsule)
        at_boot = path is Path.BOOT
        update.place({"case.cap": capsule}, size=MINIMUM, stored=at_boot)

        outcome = update.at_boot() if at_boot else update.by_command()

        wanted = case.flash_after(bench, flash.before, board.image.region)
        assert wanted.changes(flash.now) == []
        assert outcome.status == case.status
        assert outcome.files == ()
        assert outcome.reset

    return check


@pytest.mark.needs("EFI_CAPSULE_ON_DISK")
@pytest.mark.parametrize("case", rows(Path.DISK))
def test_on_disk(case: Case, check):
    check(case, Path.DISK)


@pytest.mark.needs("EFI_CAPSULE_ON_DISK", "!EFI_CAPSULE_ON_DISK_EARLY")
@pytest.mark.parametrize("case", rows(Path.BOOT))
def test_at_boot(case: Case, check):
    check(case, Path.BOOT)
