"""Sets of addresses."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ubtest.handoff.spans import Spans

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


def numbers(spans: Spans) -> set[int]:
    return {number for each in spans for number in range(each.start, each.end)}


def plain(pairs: list[tuple[int, int]]) -> set[int]:
    return {number for start, end in pairs for number in range(start, end)}


@given(PAIRS, PAIRS)
def test_they_are_sets(one, other):
    a, b = Spans.of(one), Spans.of(other)
    assert numbers(a) == plain(one)
    assert numbers(a & b) == plain(one) & plain(other)
    assert numbers(a - b) == plain(one) - plain(other)
    assert numbers(a | b) == plain(one) | plain(other)
    assert a.size == len(plain(one))
    assert bool(a) == bool(plain(one))


@given(PAIRS)
def test_spans_neither_touch_nor_overlap(pairs):
    spans = list(Spans.of(pairs))
    assert all(one.end < other.start for one, other in pairwise(spans))


def test_text():
    assert str(Spans.of([(0x10, 0x20), (0x40, 0x50)])) == "0x10-0x20, 0x40-0x50"
    assert str(Spans()) == "nothing"
