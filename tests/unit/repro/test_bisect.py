"""The search against histories whose culprit is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.repro.bisect import Answer, Commit, search, steps_left


def line(length: int) -> list[Commit]:
    return [Commit(str(at), (str(at - 1),)) for at in range(length)]


class Oracle:
    """Knows which commits are new, and which cannot be told."""

    def __init__(self, new: set[str], skips: set[str]) -> None:
        self.new, self.skips = new, skips
        self.asked: list[str] = []
        self.left: list[int] = []

    def __call__(self, name: str, left: int) -> Answer:
        self.asked.append(name)
        self.left.append(left)
        if name in self.skips:
            return Answer.SKIP
        return Answer.NEW if name in self.new else Answer.OLD


@st.composite
def lines(draw):
    length = draw(st.integers(1, 200))
    culprit = draw(st.integers(0, length - 1))
    skips = draw(st.sets(st.integers(0, length - 1)))
    return length, culprit, {str(at) for at in skips}


@given(lines())
def test_any_position_any_skips(drawn):
    length, culprit, skips = drawn
    oracle = Oracle({str(at) for at in range(culprit, length)}, skips)
    found = search(line(length), oracle)
    # What stands between the last commit that is known to be old and the first known to be new
    first, last = culprit, culprit
    while first > 0 and str(first - 1) in skips:
        first -= 1
    while last < length - 1 and str(last) in skips:
        last += 1
    assert found == tuple(str(at) for at in range(first, last + 1))
    assert len(oracle.asked) == len(set(oracle.asked))
    assert str(length - 1) not in oracle.asked


@given(st.integers(1, 3000), st.data())
def test_without_skips_it_takes_the_logarithm(length, data):
    culprit = data.draw(st.integers(0, length - 1))
    oracle = Oracle({str(at) for at in range(culprit, length)}, set())
    assert search(line(length), oracle) == (str(culprit),)
    assert len(oracle.asked) <= steps_left(length)


def test_a_broken_stretch_is_gone_around():
    """30 of 100 commits in the middle do not build: halving alone asks 35 times."""
    skips = {str(at) for at in range(35, 65)}
    asked = []
    for culprit in (*range(35), *range(66, 100)):
        oracle = Oracle({str(at) for at in range(culprit, 100)}, skips)
        assert search(line(100), oracle) == (str(culprit),)
        asked.append(len(oracle.asked))
    assert sum(asked) / len(asked) < 11


@st.composite
def branching(draw):
    """A history with merges: each commit has one or two older ones as parents."""
    length = draw(st.integers(1, 60))
    history = [Commit("0", ("base",))]
    for at in range(1, length):
        parents = draw(st.sets(st.integers(0, at - 1), min_size=1, max_size=2))
        history.append(Commit(str(at), tuple(str(p) for p in sorted(parents))))
    return history


def ancestors(history: list[Commit], name: str) -> set[str]:
    parents = {commit.name: commit.parents for commit in history}
    found: set[str] = set()
    todo = [name]
    while todo:
        one = todo.pop()
        if one in parents and one not in found:
            found.add(one)
            todo += parents[one]
    return found


@given(branching(), st.data())
def test_merges(history, data):
    seen = ancestors(history, history[-1].name)
    history = [commit for commit in history if commit.name in seen]
    culprit = data.draw(st.sampled_from(history)).name
    skips = data.draw(st.sets(st.sampled_from([commit.name for commit in history])))
    new = {c.name for c in history if culprit in ancestors(history, c.name)}
    assert culprit in search(history, Oracle(new, skips))
    assert search(history, Oracle(new, set())) == (culprit,)


def test_it_says_how_many_are_left():
    oracle = Oracle({"2", "3"}, {"1"})
    assert search(line(4), oracle) == ("1", "2")
    assert list(zip(oracle.asked, oracle.left, strict=True)) == [("1", 4), ("0", 4), ("2", 3)]


@pytest.mark.parametrize(("commits", "steps"), [(1, 0), (2, 1), (3, 2), (8, 3), (9, 4)])
def test_steps_left(commits, steps):
    assert steps_left(commits) == steps
