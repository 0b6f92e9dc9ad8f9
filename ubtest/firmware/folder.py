"""Folders in the cache: one writer at a time, and whole or not there at all."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ubtest.errors import HostError
from ubtest.project import cache


def content_key(parts: Iterable[bytes], length: int = 16) -> str:
    """A name for a folder, over everything that decides what is in it.

    :param length: letters of the name.
    """
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(digests).hexdigest()[:length]


@contextmanager
def locked(name: str, doing: str, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Be the only process that does a thing; others wait, and are told for whom.

    :param on_wait: called once with who holds the lock, when we have to wait.
    :returns: the lock's file descriptor: a child that inherits it holds the lock as long as it
        lives, so the orphans of a killed run are waited for too.
    :raises HostError: the cache cannot be written.
    """
    with writing():
        (cache() / "locks").mkdir(parents=True, exist_ok=True)
        lock = os.open(_lock(name), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 200, 0).decode(errors="replace") or "another process"
            on_wait(f"waiting for {holder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with writing():
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"process {os.getpid()} ({doing})".encode(), 0)
        yield lock
    finally:
        os.close(lock)


def using(name: str) -> int | None:
    """Say that a thing in the cache is used, from now until the descriptor is closed.

    :returns: None where the cache cannot be written, and so nothing in it can be removed either.
    """
    try:
        (cache() / "locks").mkdir(parents=True, exist_ok=True)
        lock = os.open(_lock(name), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.utime(lock)
    return lock


def last_use(name: str) -> float:
    """When a thing was locked or used last, in seconds since 1970; 0 where it never was."""
    path = _lock(name)
    return path.stat().st_mtime if path.exists() else 0


def remove(path: Path, lock: str) -> bool:
    """Remove a folder from the cache, at one stroke for all who look; False when it is in use.

    :param lock: the name that its writers and users lock.
    :raises HostError: the cache cannot be written.
    """
    with writing():
        (cache() / "locks").mkdir(parents=True, exist_ok=True)
        with _lock(lock).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if path.is_dir():  # another process may have been quicker
                gone = path.with_name(f".{path.name}.removed")
                shutil.rmtree(gone, ignore_errors=True)
                path.rename(gone)
                shutil.rmtree(gone)
    return True


def _lock(name: str) -> Path:
    return cache() / "locks" / f"{name}.lock"


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A folder that appears under its name when everything is in it; the caller holds its lock.

    :returns: the folder to fill.
    :raises HostError: the disk is full or the cache cannot be written.
    """
    draft = target.with_name(f".{target.name}.draft")
    try:
        with writing():
            # Left by a run that was killed
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            yield draft
            if target.exists():
                shutil.rmtree(target)
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def disk_full() -> HostError:
    """The error for a cache without room."""
    return HostError(
        f"the disk of {cache()} is full",
        next_step="free some space (U-Boot takes about 1 GB), or set UBTEST_CACHE to another disk",
    )


@contextmanager
def writing() -> Iterator[None]:
    """Failures to write into the cache, ours and our programs', said as the host's fault.

    :raises HostError: the disk is full or the cache cannot be written.
    """
    try:
        yield
    except HostError as error:
        if is_full(error.message):
            raise disk_full() from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from error
        raise HostError(
            f"cannot write {error.filename or cache()}: {error.strerror}",
            next_step="give yourself write access, or set UBTEST_CACHE to a folder of your own",
        ) from error


def is_full(output: str) -> bool:
    """Whether a program complains about a full disk."""
    return "No space left on device" in output or "Disk quota exceeded" in output
