"""What the cache need not keep: all of it can be made again, and some of it nobody asks for."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.firmware import folder
from ubtest.firmware.bundle import bundles, full_name, lock_of, look_at
from ubtest.firmware.recipe import check_current
from ubtest.project import Project, cache

DAY = 86400
# Folders that go when they were not used for long -> what their lock's name starts with
BY_AGE = {
    "builds/*": "build-",
    "sources/debian/*": "debian-",
    "sources/git/*": "git-",
    "testpy/*": "testpy-",  # benchmarks/testpy.py
    "planted": "",  # a cache of its own: tests/lab/test_planted_bugs.py
}


@dataclass(frozen=True)
class Unwanted:
    """A folder of the cache that can go.

    :param lock: what its users and writers lock.
    :param why: a few words.
    """

    path: Path
    lock: str
    why: str

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.lstat().st_blocks * 512 for path in self.path.rglob("*"))

    def remove(self) -> bool:
        """Whether it is gone; False: it is in use."""
        return folder.remove(self.path, self.lock)


def unwanted(project: Project, days: int) -> Iterator[Unwanted]:
    """What no fragment of the project, or nobody, asks for: bundles, builds, sources, and what the
    benchmarks and the tests with planted bugs keep.

    A bundle whose fragment changed goes at once, since no test takes it any more
    (:func:`check_current`); bundles of boards that the project does not have may be another one's.

    :param days: what was used later than this is kept. At least 1: a source is not locked while it
        is compiled, but it was looked at before.
    """
    limit = time.time() - days * DAY
    unused = f"not used for {days} day{'s' * (days > 1)}"
    for path in _folders(bundles(), "*/*"):
        if why := _replaced(path, project):
            yield Unwanted(path, lock_of(path), why)
        elif _used(path, lock_of(path)) < limit:
            yield Unwanted(path, lock_of(path), unused)
    for pattern, lock in BY_AGE.items():
        for path in _folders(cache(), pattern):
            name = lock + path.name
            if _used(path, name) < limit:
                yield Unwanted(path, name, unused)


def _replaced(path: Path, project: Project) -> str:
    """Why no test of the project takes this bundle; empty where they do, or it is not known."""
    if path.name.startswith("."):
        return ""  # it is being filled, or being removed; or whoever did that was killed
    try:
        bundle = look_at(path)
    except CaseError:
        return "damaged"
    name = full_name(bundle.board, bundle.variant)
    if not (project.boards / f"{name}.config").is_file():
        return ""
    try:
        check_current(bundle, project)
    except CaseError:
        return f"boards/{name}.config changed since"
    return ""


def _folders(top: Path, pattern: str) -> list[Path]:
    return sorted(path for path in top.glob(pattern) if path.is_dir())


def _used(path: Path, lock: str) -> float:
    """Seconds since 1970; what was made before there were locks has its own time."""
    return max(folder.last_use(lock), path.stat().st_mtime)
