"""The minimiser against oracles that are plain functions."""

from hypothesis import given
from hypothesis import strategies as st

from ubtest.fuzz.minimise import Budget, closer, differing, fewer


@given(st.lists(st.integers(0, 50), unique=True), st.data())
def test_only_the_culprits_are_left(items, data):
    culprits = set(data.draw(st.lists(st.sampled_from(items)))) if items else set()
    kept = fewer(items, lambda some: culprits <= set(some))
    assert kept == [item for item in items if item in culprits]


@given(st.binary(min_size=8, max_size=40), st.data())
def test_only_the_byte_that_matters_differs(good, data):
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytes(byte ^ 0xFF for byte in good)
    smallest = closer(bad, good, lambda file: file[at] == bad[at])
    assert smallest[at] == bad[at]
    assert differing(smallest, good) == 1


def test_lengths_stay_as_they_are():
    assert closer(b"xxxx", b"aa", lambda file: True) == b"aaxx"
    assert closer(b"xx", b"aaaa", lambda file: True) == b"aa"
    assert differing(b"aaxx", b"aa") == 2


def test_what_needs_all_of_it_stays_whole():
    assert fewer([1, 2, 3, 4, 5], lambda some: len(some) == 5) == [1, 2, 3, 4, 5]
    assert closer(b"bad!", b"good", lambda file: file == b"bad!") == b"bad!"


def test_the_budget_ends_the_search_and_keeps_the_best():
    asked = []

    def fails(file: bytes) -> bool:
        asked.append(file)
        return file[0] == 0

    smallest = closer(bytes(64), b"\1" * 64, Budget(fails, 3))
    assert len(asked) == 3
    assert smallest == bytes(32) + b"\1" * 32
