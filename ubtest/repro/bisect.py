"""The search for the commit that changed what a recipe shows: only questions, no git, no board."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Commit:
    """One revision; what its identity is, only the oracle knows.

    :param parents: identities; those that are not in the history are known to be old.
    """

    name: str
    parents: tuple[str, ...] = ()


class Answer(Enum):
    """What a commit shows."""

    OLD = "as the old end"
    NEW = "as the new end"
    SKIP = "skipped"


def search(history: Sequence[Commit], ask: Callable[[str, int], Answer]) -> tuple[str, ...]:
    """The first commit that shows what the last one shows.

    A branching history is searched as `git bisect` does: a new answer leaves the commit and its
    ancestors, an old one removes them.

    :param history: parents before children; the last is known to be new and is not asked.
    :param ask: given a commit, and how many it could still be.
    :returns: one commit, or several, parents first, that skipped ones keep from being told apart.
    """
    reach = _reach(history)
    left = reach[-1]
    skipped = 0
    aims = _aims()
    while (at := _nearest(reach, left, skipped, next(aims))) is not None:
        answer = ask(history[at].name, left.bit_count())
        if answer is Answer.SKIP:
            skipped |= 1 << at
            continue
        left &= reach[at] if answer is Answer.NEW else ~reach[at]
        aims = _aims()
    return tuple(history[at].name for at in _bits(left))


def steps_left(commits: int) -> int:
    """About how many questions it takes to tell so many commits apart."""
    return max(commits - 1, 0).bit_length()


def _reach(history: Sequence[Commit]) -> list[int]:
    """For each commit, itself and its ancestors: a bit each."""
    place = {commit.name: at for at, commit in enumerate(history)}
    reach: list[int] = []
    for at, commit in enumerate(history):
        mask = 1 << at
        for parent in commit.parents:
            if parent in place:
                mask |= reach[place[parent]]
        reach.append(mask)
    return reach


def _nearest(reach: Sequence[int], left: int, skipped: int, aim: float) -> int | None:
    """The commit that has about this share of what is left behind it; None where none tells."""
    total = left.bit_count()
    best: int | None = None
    distance = 2.0
    for at in _bits(left & ~skipped):
        behind = (left & reach[at]).bit_count()
        if behind < total and abs(behind / total - aim) < distance:
            best, distance = at, abs(behind / total - aim)
    return best


def _aims() -> Iterator[float]:
    """1/2, 1/4, 3/4, 1/8, ...: after a skip, far away: its neighbours break by the same cause."""
    for digits in range(1, 64):
        for number in range(1, 1 << digits, 2):
            yield number / (1 << digits)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
