"""The capsule table (ubtest/cases/capsule_*.py) on the live firmware, row by row."""

import pytest

from ubtest.cases.capsule_case import Bench, Case, Effect, Path
from ubtest.cases.capsule_headers import HEADERS
from ubtest.cases.capsule_signatures import SIGNATURES
from ubtest.formats.status import SUCCESS
from ubtest.media.content import Content
from ubtest.uefi.capsules import update_from_memory

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "flash-readback"),
    pytest.mark.slow,  # hundreds of rows: two minutes
]

IMAGE = b"new firmware! " * 35  # 490 bytes: every word costs U-Boot 0.4 ms here


def rows(path: Path) -> list:
    """The rows that run on a path, each with its marks, named after table and difference."""

    def row(table: str, case: Case):
        marks = [pytest.mark.mutates("flash")] if case.effect is Effect.WRITTEN else []
        if case.bug and path in case.bug_on:
            marks.append(pytest.mark.known_bug(case.bug))
        return pytest.param(case, id=f"{table}: {case.differs}", marks=marks)

    tables = {**HEADERS, **SIGNATURES}
    return [row(t, case) for t, cases in tables.items() for case in cases if path in case.paths]


@pytest.fixture
def bench(request, keyring) -> Bench:
    """What every row is made from."""
    board = request.getfixturevalue("prompt" if "prompt" in request.fixturenames else "board")
    return Bench(keyring, board.image.image_type, board.image.index, IMAGE)


def expected(case: Case, bench: Bench, flash: Content, region: slice) -> Content:
    """The whole chip after the row."""
    if case.effect is Effect.UNCHANGED:
        return flash
    image = case.written(bench)
    written = image + b"\xff" * (region.stop - region.start - len(image))
    return flash.written(region.start, written)


@pytest.mark.needs("EFI_RUNTIME_UPDATE_CAPSULE")
@pytest.mark.parametrize("case", rows(Path.MEMORY))
def test_from_memory(case: Case, prompt, bench, results):
    capsule = case.make(bench)
    results.keep("case.cap", capsule)
    before = prompt.machine.content(prompt.image.flash)

    accepted = update_from_memory(prompt, capsule)

    after = prompt.machine.content(prompt.image.flash)
    assert after == expected(case, bench, before, prompt.image.region)
    assert accepted == (case.status == SUCCESS)


@pytest.mark.needs("EFI_CAPSULE_ON_DISK")
@pytest.mark.parametrize("case", rows(Path.DISK))
def test_on_disk(case: Case, board, bench, update, flash, results):
    capsule = case.make(bench)
    results.keep("case.cap", capsule)
    update.place({"case.cap": capsule})

    outcome = update.by_command()

    assert flash.now == expected(case, bench, flash.before, board.image.region)
    assert outcome.status == case.status
    assert outcome.files == ()
    assert outcome.reset
