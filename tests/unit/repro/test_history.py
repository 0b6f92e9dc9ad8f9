"""Ranges of a real git repository."""

import subprocess
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.repro.history import History


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Runs git in a new repository; each `commit` gives its name."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A U Thor")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "author@example.com")
        monkeypatch.setenv(f"GIT_{name}_DATE", "2025-02-03T04:05:06+0000")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    def run(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", tmp_path, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def commit(git, subject: str) -> str:
    git("commit", "--quiet", "--allow-empty", "--message", subject)
    return git("rev-parse", "HEAD")


def test_a_line(git, tmp_path):
    names = [commit(git, subject) for subject in ("one", "two", "three")]
    history = History.read(tmp_path, f"{names[0]}..main")
    assert history.old.commit.name == names[0]
    assert [each.commit.name for each in history.revisions] == names[1:]
    assert history.revisions[0].commit.parents == (names[0],)
    assert str(history[names[2]]) == (
        f"{names[2][:12]} three (A U Thor <author@example.com>, 2025-02-03)"
    )


def test_a_merge_has_both_parents_before_it(git, tmp_path):
    base = commit(git, "base")
    git("checkout", "--quiet", "-b", "side")
    side = commit(git, "side")
    git("checkout", "--quiet", "main")
    main = commit(git, "main")
    git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    history = History.read(tmp_path, f"{base}..main")
    assert {each.commit.name for each in history.revisions[:2]} == {side, main}
    assert history.revisions[2].commit.parents == (main, side)


def test_parents_come_first_whatever_the_clocks_said(git, tmp_path, monkeypatch):
    base = commit(git, "base")
    parent = commit(git, "parent")
    git("checkout", "--quiet", "-b", "side")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-02-03T04:05:06+0000")
    side = commit(git, "written when the clock was wrong")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2025-02-04T04:05:06+0000")
    git("checkout", "--quiet", "main")
    commit(git, "main")
    git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    names = [each.commit.name for each in History.read(tmp_path, f"{base}..main").revisions]
    assert names.index(parent) < names.index(side)


def test_what_is_no_range_says_why(git, tmp_path):
    old = commit(git, "old")
    commit(git, "new")
    for span, why in (
        ("main", "not a range"),
        ("..main", "not a range"),
        ("main~1..--all", "not a range"),
        (f"main..{old}", "not an ancestor"),
        ("main..main", "is empty"),
        ("nowhere..main", "git says"),
    ):
        with pytest.raises(CaseError, match=why):
            History.read(tmp_path, span)


def test_where_branches_part_is_named(git, tmp_path):
    base = commit(git, "base")
    git("checkout", "--quiet", "-b", "side")
    commit(git, "side")
    git("checkout", "--quiet", "main")
    commit(git, "main")
    with pytest.raises(CaseError) as error:
        History.read(tmp_path, "side..main")
    assert f"{base[:12]}..main" in error.value.next_step


def test_a_folder_that_is_no_repository(tmp_path):
    with pytest.raises(CaseError, match="git says"):
        History.read(tmp_path, "a..b")
    with pytest.raises(CaseError, match="git says"):
        History.read(tmp_path / "nowhere", "a..b")


def test_a_subject_cannot_move_the_cursor(git, tmp_path):
    old = commit(git, "old")
    commit(git, "red \x1b[31m and \x9b2J")
    assert "\x1b" not in str(History.read(tmp_path, f"{old}..main").revisions[0])
    assert "\x9b" not in str(History.read(tmp_path, f"{old}..main").revisions[0])


def test_nothing_is_written(git, tmp_path):
    old = commit(git, "old")
    commit(git, "new")
    before = _files(tmp_path)
    History.read(tmp_path, f"{old}..main")
    assert _files(tmp_path) == before


def _files(top: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in top.rglob("*")
        if path.is_file()
    }
