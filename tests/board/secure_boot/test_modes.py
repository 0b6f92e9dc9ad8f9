"""The modes of a platform (UEFI 2.10 section 32.3): who owns it, and what may still be changed."""

import pytest
from secure_boot_needs import SECURE_BOOT

from ubtest.crypto.authvar import signed_write
from ubtest.formats.authvar import AuthenticatedWrite
from ubtest.uefi.secure_boot import (
    LATER,
    SETUP_MODE,
    USER_MODE,
    State,
    certificates,
    state,
    value,
    write,
)

pytestmark = [SECURE_BOOT, pytest.mark.slow]

AUDIT_MODE = State(secure_boot=0, setup_mode=1, audit_mode=1, deployed_mode=0)
DEPLOYED_MODE = State(secure_boot=1, setup_mode=0, audit_mode=0, deployed_mode=1)
SAYS_THE_FIRMWARE = ("SecureBoot", "SetupMode", "VendorKeys")
LOCKED = (*SAYS_THE_FIRMWARE, "DeployedMode")


def set_byte(board, name: str, byte: int) -> int:
    return board.uboot.command(f"setenv -e -bs -rt {name} =0x{byte:02x}").status


@pytest.mark.parametrize("name", LOCKED)
def test_in_setup_mode_nobody_changes_the_mode(in_setup_mode, name):
    board = in_setup_mode
    before = value(board, name)
    assert set_byte(board, name, 1 - before[0]) != 0
    assert value(board, name) == before
    assert state(board) == SETUP_MODE


@pytest.mark.parametrize("name", SAYS_THE_FIRMWARE)
def test_in_user_mode_nobody_says_what_is_enforced(prompt, enrolled, name):
    before = value(prompt, name)
    assert set_byte(prompt, name, 1 - before[0]) != 0
    assert value(prompt, name) == before
    assert state(prompt) == USER_MODE


def test_in_setup_mode_keys_need_no_signature_of_an_owner(in_setup_mode, keyring):
    board = in_setup_mode
    content = certificates(keyring["db"])
    stranger = signed_write(keyring["untrusted"], AuthenticatedWrite("db", content, LATER))
    assert write(board, stranger)
    assert value(board, "db") == content
    assert state(board) == SETUP_MODE


@pytest.mark.known_bug("mode-without-transition")
def test_deployed_mode_is_one_way(prompt, enrolled):
    assert set_byte(prompt, "DeployedMode", 1) == 0
    assert state(prompt) == DEPLOYED_MODE

    assert set_byte(prompt, "DeployedMode", 0) != 0

    assert state(prompt) == DEPLOYED_MODE


@pytest.mark.known_bug("mode-without-transition")
def test_audit_mode_gives_up_the_platform_key(prompt, enrolled):
    assert set_byte(prompt, "AuditMode", 1) == 0

    assert state(prompt) == AUDIT_MODE
    assert value(prompt, "PK") is None


@pytest.mark.known_bug("mode-without-transition")
def test_audit_mode_out_of_setup_mode(in_setup_mode):
    board = in_setup_mode
    assert set_byte(board, "AuditMode", 1) == 0
    assert state(board) == AUDIT_MODE
