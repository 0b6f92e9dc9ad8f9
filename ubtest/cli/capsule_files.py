"""Files of `ubtest capsule`: read a little at a time, written whole or not at all."""

import os
import stat
from pathlib import Path

from ubtest.cli.output import say
from ubtest.crypto.key import write_whole
from ubtest.errors import CaseError, HostError
from ubtest.formats.capsule import Capsule
from ubtest.formats.record import FormatError

LARGEST = 256 << 20  # bytes that are held in memory; a capsule is held in the board's, too
_FIELDS = "the fields are explained by `ubtest capsule show`"


class FileBytes:
    """A file of any size; only the parts that are asked for are read."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        :raises CaseError: it cannot be opened, or is not a file of a fixed size.
        """
        self.path = path
        try:
            # Without O_NONBLOCK, opening a FIFO waits for somebody to write
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise CaseError(f"cannot read {path}: {_reason(error)}") from error
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise CaseError(f"{path} is not a regular file", next_step="copy its content to one")
        self._size = facts.st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self._size)
        try:
            return os.pread(self._descriptor, max(0, stop - start), start)
        except OSError as error:
            raise HostError(f"cannot read {self.path}: {error.strerror}") from error

    def whole(self) -> bytes:
        """All of it.

        :raises CaseError: more than :data:`LARGEST`.
        """
        if self._size > LARGEST:
            raise CaseError(
                f"{self.path} has {self._size} bytes; more than {LARGEST >> 20} MiB are not taken"
            )
        return self[: self._size]


def read_capsule(path: Path) -> Capsule:
    """A capsule to work on.

    :raises CaseError: it is none, or not sound enough to be written again.
    """
    try:
        return Capsule.parse(FileBytes(path).whole())
    except FormatError as error:
        raise CaseError(f"{path} is not a sound capsule: {error}", next_step=_FIELDS) from error


def write(path: Path, data: bytes, *, force: bool) -> None:
    """Write the result; a file that is there stays as it is, unless forced.

    :raises CaseError: the file exists, or cannot be written.
    """
    if not force and (path.exists() or path.is_symlink()):
        raise CaseError(f"{path} exists", next_step="choose another name, or add --force")
    try:
        write_whole(path, data, 0o644)
    except OSError as error:
        raise CaseError(f"cannot write {path}: {error.strerror}") from error
    say([f"{path}: {len(data)} bytes"])


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
