"""Which kernels and initramfs the cache need not keep: all of it can be made again."""

import time
from collections.abc import Iterator
from pathlib import Path

from ubtest.firmware.folder import last_use
from ubtest.firmware.prune import DAY, Unwanted
from ubtest.kernel.bundle import folders, initrds, kernels, lock_of
from ubtest.project import cache

# What was made for kernels -> the lock of its writers
MADE = {"vfio-probe/*": "vfio-probe", "vfio-platform/*": "kernels", "rootfs/*": "kernels"}


def unwanted(days: int) -> Iterator[Unwanted]:
    """Kernels that a newer one of the same origin replaced, and what nobody used for long.

    :param days: what was used later than this is kept. At least 1: what was made for a kernel is
        not locked while it is used.
    """
    limit = time.time() - days * DAY
    unused = f"not used for {days} day{'s' * (days != 1)}"
    for origin in sorted(path for path in kernels().glob("*") if path.is_dir()):
        newest = folders(origin.name)[:1]
        for path in sorted(path for path in origin.iterdir() if path.is_dir()):
            if path not in newest and not path.name.startswith("."):
                yield Unwanted(path, lock_of(path), "a newer one came")
            elif _used(path) < limit:
                yield Unwanted(path, lock_of(path), unused)
    for path in sorted(path for path in initrds().glob("*") if path.is_dir()):
        if _used(path) < limit:
            yield Unwanted(path, lock_of(path), unused)
    for pattern, lock in MADE.items():
        for path in sorted(path for path in cache().glob(pattern) if path.is_dir()):
            if path.stat().st_mtime < limit:
                yield Unwanted(path, lock, f"made more than {days} day{'s' * (days != 1)} ago")


def _used(path: Path) -> float:
    """Seconds since 1970."""
    return max(last_use(lock_of(path)), path.stat().st_mtime)
