"""Asks a board that is off: brings it to its prompt, reads, and judges."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError, HostError, UbtestError
from ubtest.lab.board import Board
from ubtest.media.disk import Disk
from ubtest.preflight.checks import judge
from ubtest.preflight.facts import CapsuleFile, Facts, Unread
from ubtest.preflight.finding import Report
from ubtest.preflight.gather import gather
from ubtest.project import Project


def ask(
    board: Board,
    *,
    env_file: Path,
    disk: Path | None = None,
    capsule: tuple[str, bytes] | None = None,
) -> Report:
    """Start a board, read it, judge, and switch it off again.

    :param disk: an image, of which the board gets a copy; None: the board has its disks.
    :param capsule: name and content of a file to hold against the board's answers.
    :raises CaseError: there is no such image, or this board takes none.
    :raises LabError: the board cannot be started.
    """
    with _copy_of(disk) as copy:
        if disk is not None:
            board.machine.attach(Disk(copy), board.storage.bus)
        uboot = board.boot()
        uboot.command(board.storage.find.format(path=copy), 30)
        facts = gather(board, disk=disk, copy=disk is not None)
        board.off()
    return judge(_with_host(facts, env_file, capsule))


@contextmanager
def _copy_of(disk: Path | None) -> Iterator[Path]:
    """A copy of an image that goes when this ends; sparse where the image is."""
    if disk is None:
        yield Path("IMAGE")
        return
    if not disk.is_file():
        raise CaseError(f"there is no image {disk}", next_step="give the image of a whole disk")
    with tempfile.TemporaryDirectory(prefix="ubtest-preflight-") as folder:
        copy = Path(folder) / "disk.img"
        try:
            shutil.copyfile(disk, copy)
        except OSError as error:
            raise HostError(f"cannot copy {disk}: {error.strerror}") from error
        yield copy


def _with_host(facts: Facts, env_file: Path, capsule: tuple[str, bytes] | None) -> Facts:
    """The same with what this host knows: the user's capsule, and who could sign."""
    file = CapsuleFile(capsule[0], len(capsule[1]), capsule[1]) if capsule else None
    return replace(facts, capsule=file, signer=_signer(facts, env_file))


def _signer(facts: Facts, env_file: Path) -> str:
    if isinstance(facts.trusted, Unread):
        return ""
    try:
        ring = KeyRing.load(Project.find(env_file).keys)
        return next((k.name for k in ring.trusted if k.certificate in facts.trusted), "")
    except UbtestError:
        return ""
