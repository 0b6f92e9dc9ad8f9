"""Who may change the keys and databases of Secure Boot: the table, row by row."""

import pytest

from ubtest.cases.secure_boot_variables import ROWS, Content, Row
from ubtest.formats.authvar import AuthenticatedWrite
from ubtest.plugin.run_state import board_run
from ubtest.uefi.secure_boot import (
    LATER,
    SETUP_MODE,
    USER_MODE,
    certificates,
    state,
    value,
    write,
)

pytestmark = [
    pytest.mark.needs("EFI_SECURE_BOOT", "CMD_NVEDIT_EFI"),
    pytest.mark.needs("!SANDBOX"),  # `setenv -i` wants an address of another kind there
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def nothing_left(request):
    """What the rows share ends with them: no other test finds keys on its board."""
    yield
    run = board_run(request.config)
    run.untouched = None
    run.board.strategy.lost()
    run.board.off()


@pytest.fixture
def enrolled(nothing_left, prompt, platform):
    """The keys, enrolled on a board that is only booted again after a row that changed them."""
    if not platform.is_enrolled(prompt):
        if state(prompt) != SETUP_MODE:
            prompt.uboot.reset()  # without a disk nothing is kept
        platform.enrol(prompt)
    return platform


def marked(row: Row):
    marks = [pytest.mark.known_bug(row.bug)] if row.bug else []
    return pytest.param(row, id=f"{row.variable}: {row.differs}", marks=marks)


@pytest.mark.parametrize("row", map(marked, ROWS))
def test_write(row: Row, prompt, enrolled, keyring):
    if row.variable == "dbx":
        enrolled.must_take(prompt, "dbx", certificates(keyring["untrusted"]), keyring["kek"])
    before = value(prompt, row.variable)
    new = certificates(keyring["db-second"])
    good = AuthenticatedWrite(row.variable, new, LATER)

    taken = write(prompt, row.make(keyring, good))

    becomes = {None: before, Content.NEW: new, Content.LONGER: before + new, Content.GONE: None}
    assert value(prompt, row.variable) == becomes[row.becomes]
    assert taken == (row.becomes is not None)
    without_owner = row.variable == "PK" and row.becomes is Content.GONE
    assert state(prompt) == (SETUP_MODE if without_owner else USER_MODE)
