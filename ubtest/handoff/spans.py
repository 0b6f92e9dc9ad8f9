"""Sets of addresses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """Some addresses in a row.

    :param end: the first behind them.
    """

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{self.start:#x}-{self.end:#x}"


@dataclass(frozen=True)
class Spans:
    """Any addresses: spans in order that do not touch."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "Spans":
        """The addresses of all pairs of start and end; those that touch become one."""
        joined: list[Span] = []
        for start, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
            if joined and start <= joined[-1].end:
                joined[-1] = Span(joined[-1].start, max(end, joined[-1].end))
            else:
                joined.append(Span(start, end))
        return cls(tuple(joined))

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __or__(self, other: "Spans") -> "Spans":
        return Spans.of((each.start, each.end) for each in (*self.spans, *other.spans))

    def __and__(self, other: "Spans") -> "Spans":
        return Spans.of(
            (max(a.start, b.start), min(a.end, b.end))
            for a in self.spans
            for b in other.spans
            if a.meets(b)
        )

    def __sub__(self, other: "Spans") -> "Spans":
        left = [(each.start, each.end) for each in self.spans]
        for gone in other.spans:
            left = [
                pair
                for start, end in left
                for pair in ((start, min(end, gone.start)), (max(start, gone.end), end))
                if pair[0] < pair[1]
            ]
        return Spans.of(left)

    @property
    def size(self) -> int:
        return sum(each.end - each.start for each in self.spans)

    def __str__(self) -> str:
        return ", ".join(map(str, self.spans)) or "nothing"
