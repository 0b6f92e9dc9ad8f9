"""What the capsule tests share: a good capsule, and the disk that carries it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.lab.board import Board
from ubtest.uefi.on_disk import OnDiskUpdate

NEW_CONTENT = b"new firmware! " * 600  # 8400 bytes: more than one flash write, less than a sector


@pytest.fixture
def payload(board: Board, keyring: KeyRing) -> FmpPayload:
    """A payload that the firmware must accept; every broken one is a `replace()` away."""
    return signed(keyring["trusted"], FmpPayload(board.image.image_type, NEW_CONTENT))


@pytest.fixture
def good(payload: FmpPayload) -> Capsule:
    """The capsule around :func:`payload`."""
    return Capsule((payload,))


@pytest.fixture
def unsigned(payload: FmpPayload) -> Capsule:
    """The same without a signature."""
    return Capsule((replace(payload, signature=None),))


@pytest.fixture
def update(
    board: Board, results, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OnDiskUpdate]:
    """A disk for capsules; what was on it is kept with the results.

    Its folder has a short name: the sandbox takes a third of a millisecond for each letter.
    """
    update = OnDiskUpdate(board, tmp_path_factory.mktemp("d"))
    yield update
    if update.disk.path.exists():
        results.note("disk at the end", f"sha256={update.disk.sha256()}")
