"""What goes from the cache, and what stays."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

from ubtest.kernel.bundle import get
from ubtest.kernel.prune import unwanted

Make = Callable[..., Path]


def paths(cache: Path, days: int) -> list[str]:
    return [f"{each.path.relative_to(cache).parts[0]}: {each.why}" for each in unwanted(days)]


def age(cache: Path, days: int) -> None:
    """As if nobody had touched anything since."""
    for path in cache.rglob("*"):
        past = path.lstat().st_mtime - days * 86400
        os.utime(path, (past, past), follow_symlinks=False)


def test_what_is_new_stays(make_tree: Make, cache: Path) -> None:
    get(str(make_tree()))
    assert paths(cache, 1) == []


def test_what_a_newer_one_replaced_goes_at_once(make_tree: Make, cache: Path) -> None:
    folder = make_tree()
    old = get(str(folder)).path
    (folder / "config").write_text("CONFIG_MODULES=y\nCONFIG_X=y\n")
    new = get(str(folder)).path
    os.utime(old / "manifest.json", (1, 1))
    assert [each.path for each in unwanted(1)] == [old]
    gc.collect()
    assert all(each.remove() for each in unwanted(1))
    assert not old.exists()
    assert new.is_dir()
    assert (folder / "lib").is_dir()


def test_what_nobody_used_goes_unless_it_is_in_use(make_tree: Make, cache: Path) -> None:
    kernel = get(str(make_tree()))
    age(cache, 31)
    assert sorted(paths(cache, 30)) == [
        "initrds: not used for 30 days",
        "kernels: not used for 30 days",
    ]
    assert not any(each.remove() for each in unwanted(30))
    assert kernel.image.is_file()
    del kernel
    gc.collect()
    age(cache, 31)
    assert all(each.remove() for each in unwanted(30))
    assert not [*cache.glob("kernels/*/*")]


def test_what_was_made_for_kernels_goes_by_age(cache: Path) -> None:
    for name in ("vfio-probe", "vfio-platform", "rootfs"):
        (cache / name / "key").mkdir(parents=True)
    assert paths(cache, 1) == []
    age(cache, 2)
    assert paths(cache, 1) == [
        "vfio-probe: made more than 1 day ago",
        "vfio-platform: made more than 1 day ago",
        "rootfs: made more than 1 day ago",
    ]
    assert all(each.remove() for each in unwanted(1))
    assert not [*cache.glob("*/key")]
