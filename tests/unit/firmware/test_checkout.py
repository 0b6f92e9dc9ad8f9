"""The tree that goes from commit to commit, on a small stand-in for U-Boot."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from ubtest.firmware.checkout import Checkout
from ubtest.firmware.source import resolve


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


@pytest.fixture
def repository(tmp_path) -> Path:
    top = tmp_path / "u-boot"
    (top / "include" / "u-boot").mkdir(parents=True)
    (top / "include" / "u-boot" / "x.h").write_text("")
    (top / "Makefile").write_text("VERSION = 2025\nPATCHLEVEL = 01\n")
    git(top, "init", "--quiet")
    return top


def git(top: Path, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", "-C", top, *who, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(top: Path, **files: str | None) -> str:
    for name, text in files.items():
        if text is None:
            (top / name).unlink()
        else:
            (top / name).write_text(text)
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--allow-empty", "--message", "a commit")
    return git(top, "rev-parse", "HEAD")


def state(top: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in top.rglob("*")
        if path.is_file()
    }


def test_forth_and_back(repository):
    one = commit(repository, a="1", b="1")
    two = commit(repository, a="2", b=None, c="2")
    with Checkout.open(repository, print) as checkout:
        for name, files in ((one, {"a": "1", "b": "1"}), (two, {"a": "2", "c": "2"})) * 2:
            tree = checkout.at(name).tree
            assert {f.name: f.read_text() for f in tree.iterdir() if len(f.name) == 1} == files


def test_it_is_what_an_exported_revision_is(repository):
    name = commit(repository, a="1")
    exported = resolve(f"{repository}@{name}", print)
    with Checkout.open(repository, print) as checkout:
        source = checkout.at(name)
    assert (source.identity, source.version, source.epoch) == (
        exported.identity,
        exported.version,
        exported.epoch,
    )


def test_only_what_differs_is_written(repository):
    one = commit(repository, a="1", same="same")
    two = commit(repository, a="2")
    with Checkout.open(repository, print) as checkout:
        tree = checkout.at(one).tree
        before = state(tree)
        checkout.at(two)
        changed = {path.name for path, was in state(tree).items() if before.get(path) != was}
    assert changed == {"a"}


def test_the_users_repository_stays_as_it_is(repository):
    """Index, work tree, hooks and the settings that make git write beside the index."""
    one = commit(repository, a="1")
    two = commit(repository, a="2")
    (repository / "a").write_text("being worked on")
    for name in ("core.splitIndex", "core.sparseCheckout", "core.untrackedCache"):
        git(repository, "config", name, "true")
    (repository / ".git" / "info" / "sparse-checkout").write_text("/nothing\n")
    hook = repository / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch {repository}/hooked\n")
    hook.chmod(0o755)
    before = state(repository)
    with Checkout.open(repository, print) as checkout:
        for name in (one, two, one):
            assert (checkout.at(name).tree / "a").exists()
    assert state(repository) == before


def test_what_a_killed_git_left_is_thrown_away(repository):
    one = commit(repository, a="1")
    two = commit(repository, a="2", b="2")
    with Checkout.open(repository, print) as checkout:
        tree = checkout.at(one).tree
        (tree / "b").write_text("of the other commit, and the index does not know")
        (tree / "a").write_text("half")
        (checkout.home / "index.lock").touch()
        assert not (checkout.at(one).tree / "b").exists()
        assert (tree / "a").read_text() == "1"
        assert (checkout.at(two).tree / "b").read_text() == "2"


def test_a_bare_repository_does(repository, tmp_path):
    name = commit(repository, a="1")
    git(repository, "clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    with Checkout.open(tmp_path / "bare", print) as checkout:
        assert (checkout.at(name).tree / "a").read_text() == "1"


def test_one_at_a_time(repository):
    """Who comes second waits: the tree is compiled meanwhile."""
    commit(repository, a="1")
    with Checkout.open(repository, print) as checkout:
        lock = Path(os.environ["UBTEST_CACHE"]) / "locks" / f"git-{checkout.home.name}.lock"
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
