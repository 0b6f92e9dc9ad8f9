"""Chance that is the same on every machine: numbers that follow from a key, and nothing else."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """A stream of numbers for one key.

    Not `random`: what its methods make of a seed may change with Python's version.

    :param key: e.g. the seed of a campaign and the number of a case.
    """

    def __init__(self, *key: object) -> None:
        self._key = "/".join(map(str, key))
        self._count = 0

    def number(self, below: int) -> int:
        """The next number, from 0 to below - 1."""
        self._count += 1
        digest = sha256(f"{self._key}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:16], "little") % below

    def choose(self, items: Sequence[T]) -> T:
        """One of these."""
        return items[self.number(len(items))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """One of these, each as often as its weight says."""
        at = self.number(sum(weights.values()))
        for item, weight in weights.items():
            at -= weight
            if at < 0:
                return item
        raise AssertionError("a number below the sum of the weights")
