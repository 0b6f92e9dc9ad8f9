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

    def __call__(self, name: str, left: int) -> tuple[Answer, str]:
        self.asked.append(name)
        if name in self.skips:
            return Answer.SKIP, "does not build"
        return (Answer.NEW if name in self.new else Answer.OLD), ""


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
    assert found.candidates == tuple(str(at) for at in range(first, last + 1))
    assert len(oracle.asked) == len(set(oracle.asked)) == len(found.steps)
    assert str(length - 1) not in oracle.asked


@given(st.integers(1, 3000), st.data())
def test_without_skips_it_takes_the_logarithm(length, data):
    culprit = data.draw(st.integers(0, length - 1))
    oracle = Oracle({str(at) for at in range(culprit, length)}, set())
    assert search(line(length), oracle).candidates == (str(culprit),)
    assert len(oracle.asked) <= steps_left(length)


def test_a_broken_stretch_is_gone_around():
    """30 of 100 commits in the middle do not build: halving alone asks 35 times."""
    skips = {str(at) for at in range(35, 65)}
    asked = []
    for culprit in (*range(35), *range(66, 100)):
        oracle = Oracle({str(at) for at in range(culprit, 100)}, skips)
        assert search(line(100), oracle).candidates == (str(culprit),)
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
    assert culprit in search(history, Oracle(new, skips)).candidates
    assert search(history, Oracle(new, set())).candidates == (culprit,)


def test_the_steps_tell_how_it_went():
    oracle = Oracle({"2", "3"}, {"1"})
    found = search(line(4), oracle)
    assert [(s.name, s.answer, s.left) for s in found.steps] == [
        ("1", Answer.SKIP, 4),
        ("0", Answer.OLD, 3),
        ("2", Answer.NEW, 2),
    ]
    assert found.steps[0].why == "does not build"
    assert found.candidates == ("1", "2")


@pytest.mark.parametrize(("commits", "steps"), [(1, 0), (2, 1), (3, 2), (8, 3), (9, 4)])
def test_steps_left(commits, steps):
    assert steps_left(commits) == steps
