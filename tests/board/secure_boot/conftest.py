"""What the Secure Boot tests share: a platform with its keys enrolled."""

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.lab.board import Board
from ubtest.uefi.secure_boot import Platform


@pytest.fixture
def platform(keyring: KeyRing) -> Platform:
    """The owner's keys, not yet enrolled."""
    return Platform(keyring["pk"], keyring["kek"], keyring["db"])


@pytest.fixture
def enrolled(board: Board, platform: Platform) -> Platform:
    """The same, enrolled on the board, which is at its prompt."""
    board.boot()
    platform.enrol(board)
    return platform
