"""What the Secure Boot tests share: a platform with its keys enrolled."""

import re
from collections.abc import Callable, Iterator

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.lab.board import Board
from ubtest.plugin.run_state import board_run
from ubtest.uefi.secure_boot import SETUP_MODE, Platform, state, value


@pytest.fixture
def platform(keyring: KeyRing) -> Platform:
    """The owner's keys, not yet enrolled."""
    return Platform(keyring["pk"], keyring["kek"], keyring["db"])


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> Iterator[dict[str, list[str]]]:
    """All variables of the shared board, with their times, as they were when it was made ready, in
    each of the ways below.

    What a module's tests share ends with them: no other test finds keys on its board.
    """
    yield {}
    run = board_run(request.config)
    run.untouched = None
    run.board.strategy.lost()
    run.board.off()


@pytest.fixture
def in_setup_mode(made: dict[str, list[str]], prompt: Board) -> Board:
    """A board without keys at its prompt, which is only booted again after a test that changed a
    variable."""
    _ready(prompt, made, "setup mode", lambda: None)
    return prompt


@pytest.fixture
def enrolled(made: dict[str, list[str]], prompt: Board, platform: Platform) -> Platform:
    """The owner's keys, enrolled on such a board; changed databases are put back."""
    usual = platform.content
    if "user mode" in made and all(value(prompt, key) == usual[key] for key in ("PK", "KEK")):
        for name in ("db", "dbx"):
            if value(prompt, name) != usual.get(name):
                platform.put(prompt, name, usual.get(name, b""))
    _ready(prompt, made, "user mode", lambda: platform.enrol(prompt))
    return platform


def _ready(board: Board, made: dict[str, list[str]], way: str, make: Callable[[], None]) -> None:
    """Let every variable be as it was made; without a disk nothing is kept over a reset."""
    now = _variables(board)
    if now == made.get(way):
        return
    if not made and state(board) == SETUP_MODE:
        made["setup mode"] = now
    if now != made.get("setup mode"):
        board.uboot.reset()
        made["setup mode"] = _variables(board)
    make()
    made[way] = _variables(board)


def _variables(board: Board) -> list[str]:
    """What is printed of each, in an order that does not tell which was written last."""
    text = board.uboot.check("printenv -e", timeout=60)
    return sorted(map(str.rstrip, re.split(r"^(?=\S)", text, flags=re.MULTILINE)))
