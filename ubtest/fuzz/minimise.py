"""Makes what fails smaller: fewer mutations, then fewer bytes that differ from the good capsule."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Budget:
    """A test that may be asked so often; after that it says no, and what was found so far stays."""

    def __init__(self, fails: Callable[[bytes], bool], tries: int) -> None:
        self._fails = fails
        self.left = tries

    def __call__(self, file: bytes) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        return self._fails(file)


def fewer(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """As few of the items as still fail: ever smaller pieces of them are left away."""
    kept = list(items)
    step = len(kept)
    while step:
        at = 0
        while at < len(kept):
            without = kept[:at] + kept[at + step :]
            if len(without) < len(kept) and fails(without):
                kept = without
            else:
                at += step
        step //= 2
    return kept


def closer(bad: bytes, good: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """The file that fails with as few bytes as possible other than the good one's.

    Where the good one has ended, the bytes stay.
    """

    def with_only(differences: Sequence[int]) -> bytes:
        wanted = set(differences)
        return bytes(
            byte if at >= len(good) or at in wanted else good[at] for at, byte in enumerate(bad)
        )

    return with_only(
        fewer(
            [at for at, (one, other) in enumerate(zip(bad, good, strict=False)) if one != other],
            lambda differences: fails(with_only(differences)),
        )
    )


def differing(one: bytes, other: bytes) -> int:
    """How many bytes differ, those that only one has included."""
    pairs = zip(one, other, strict=False)
    return abs(len(one) - len(other)) + sum(a != b for a, b in pairs)
