"""Who may change the keys and databases of Secure Boot: the table, row by row."""

import pytest
from secure_boot_needs import SECURE_BOOT

from ubtest.cases.secure_boot_variables import ROWS, Content, Row
from ubtest.formats.authvar import AuthenticatedWrite
from ubtest.uefi.secure_boot import (
    LATER,
    SETUP_MODE,
    USER_MODE,
    certificates,
    state,
    value,
    write,
)

pytestmark = [SECURE_BOOT, pytest.mark.slow]


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
