"""What goes from the cache, and what stays: by age, by the fragments, by who uses it."""

import gc
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.firmware.build import build
from ubtest.firmware.bundle import MANIFEST, Bundle, find, listing
from ubtest.firmware.folder import locked, using
from ubtest.firmware.prune import DAY, unwanted
from ubtest.firmware.source import Source
from ubtest.project import Project

Make = Callable[..., Bundle]


@pytest.fixture
def make(source: Source, project: Project, certificate: Path) -> Make:
    """`build` of the fake board."""
    rest = {"project": project, "certificate": certificate, "fingerprint": "abcd"}
    return partial(build, "fake", source, **rest)


@pytest.fixture
def built(make: Make, cache: Path) -> Path:
    """A bundle that nobody uses, with its build, a source of either kind, and what benchmarks and
    planted bugs keep."""
    for name in ("sources/debian/2023.01", "sources/git/0123", "testpy/0123", "planted"):
        (cache / name / "tree").mkdir(parents=True)
    return make().path


def grow_old(cache: Path, days: float) -> None:
    """Everything in the cache was used that long ago."""
    then = time.time() - days * DAY
    for path in sorted(cache.rglob("*"), reverse=True):
        os.utime(path, (then, then))


def names(project: Project, days: int = 30) -> list[str]:
    """What would go: kind and reason."""
    found = [
        (each.path.relative_to(os.environ["UBTEST_CACHE"]), each)
        for each in unwanted(project, days)
    ]
    return [f"{path.parts[0]}: {each.why}" for path, each in found]


def test_what_is_used_stays(built: Path, project: Project, cache: Path) -> None:
    grow_old(cache, 29)
    assert names(project) == []


def test_what_is_old_goes(built: Path, project: Project, cache: Path) -> None:
    grow_old(cache, 31)
    kinds = ("bundles", "builds", "sources", "sources", "testpy", "planted")
    assert names(project) == [f"{kind}: not used for 30 days" for kind in kinds]
    assert all(each.remove() for each in unwanted(project, 30))
    assert not (cache / "planted").exists()
    for kind in ("bundles/*", "builds", "sources/debian", "sources/git", "testpy"):
        assert [p for top in cache.glob(kind) for p in top.iterdir()] == [], kind


def test_running_it_is_use_and_looking_at_it_is_not(
    built: Path, project: Project, cache: Path
) -> None:
    grow_old(cache, 31)
    assert [bundle.path for bundle in listing()] == [built]
    assert "bundles: not used for 30 days" in names(project)
    find("fake")
    assert "bundles: not used for 30 days" not in names(project)


def test_asking_for_it_is_use(built: Path, make: Make, project: Project, cache: Path) -> None:
    grow_old(cache, 31)
    make()
    assert "bundles: not used for 30 days" not in names(project)


def test_a_bundle_of_another_fragment_goes_at_once(
    built: Path, make: Make, project: Project
) -> None:
    fragment = project.boards / "fake.config"
    fragment.write_text(fragment.read_text() + "CONFIG_CMD_FAT=y\n")
    current = make().path
    assert names(project) == ["bundles: boards/fake.config changed since"]
    (old,) = unwanted(project, 30)
    assert old.path == built
    assert old.remove()
    assert not built.exists()
    assert Bundle.open(current).path == current


def test_a_bundle_of_another_project_goes_by_age_alone(
    built: Path, project: Project, cache: Path
) -> None:
    (project.boards / "fake.config").unlink()
    assert names(project) == []
    grow_old(cache, 31)
    assert "bundles: not used for 30 days" in names(project)


def test_a_damaged_bundle_goes(built: Path, project: Project) -> None:
    (built / MANIFEST).write_text("{")
    assert names(project) == ["bundles: damaged"]


def test_a_bundle_that_somebody_runs_is_kept(built: Path, project: Project, cache: Path) -> None:
    (built / MANIFEST).write_text("{}")  # of no board: only its age counts
    bundle = Bundle.open(built)
    grow_old(cache, 31)  # a run of a month
    (old,) = (each for each in unwanted(project, 30) if each.path == built)
    assert not old.remove()
    assert bundle.binary.is_file()
    del bundle
    gc.collect()
    assert old.remove()
    assert not built.exists()


@pytest.mark.parametrize(
    ("kind", "lock"),
    [
        ("builds", "build-{}"),
        ("sources/debian", "debian-{}"),
        ("sources/git", "git-{}"),
        ("testpy", "testpy-{}"),
    ],
)
def test_what_is_being_written_is_kept(
    kind: str, lock: str, built: Path, project: Project, cache: Path
) -> None:
    (path,) = (cache / kind).iterdir()
    with locked(lock.format(path.name), "writing", lambda text: None):
        grow_old(cache, 31)
        (old,) = (each for each in unwanted(project, 30) if each.path == path)
        assert not old.remove()
        assert path.is_dir()
    assert old.remove()
    assert not path.exists()


def test_planted_bugs_that_are_tested_are_kept(built: Path, project: Project, cache: Path) -> None:
    held = using("planted")
    assert held is not None
    grow_old(cache, 31)
    (old,) = (each for each in unwanted(project, 30) if each.path == cache / "planted")
    assert not old.remove()
    os.close(held)
    assert old.remove()


def test_the_rest_of_a_killed_prune_goes(built: Path, project: Project, cache: Path) -> None:
    left = built.with_name(f".{built.name}.removed")
    built.rename(left)
    assert names(project) == []
    grow_old(cache, 31)
    assert [each.remove() for each in unwanted(project, 30) if each.path == left] == [True]
    assert list(left.parent.iterdir()) == []


def test_the_command(
    built: Path,
    project: Project,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (project.root / "keys").mkdir()
    (project.root / "keys" / "keyring.yaml").touch()
    monkeypatch.chdir(project.root)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    (built / "u-boot.bin").write_bytes(bytes(2_960_000))
    grow_old(cache, 31)

    assert main(["firmware", "prune", "--days", "40"]) == 0
    assert capsys.readouterr().out.strip() == "0.0 MB  freed"

    assert main(["firmware", "prune", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"3.0 MB  {built.relative_to(cache)}: not used for 30 days" in said
    assert "3.0 MB  would be freed" in said
    assert built.is_dir()

    with locked("debian-2023.01", "writing", lambda text: None):
        grow_old(cache, 31)
        assert main(["firmware", "prune"]) == 0
    said = capsys.readouterr().out
    assert "sources/debian/2023.01: not used for 30 days (in use: kept)" in said
    assert not built.exists()
    assert (cache / "sources" / "debian" / "2023.01").is_dir()
