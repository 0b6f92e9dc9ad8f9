"""Two ways to do one thing, measured by turns in one run, so that a busy machine hurts both."""

import statistics
import time
from collections.abc import Callable, Sequence


def compare(
    what: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int,
    count: int = 1,
    target: float | None = None,
) -> int:
    """Measure both and print what :func:`report` prints.

    :param rounds: how often each is measured, after one round that warms the caches.
    :param count: how many of the thing one call makes.
    :return: an exit status: 1 when the target is missed.
    """
    ours(), theirs()
    mine, other = [], []
    for _ in range(rounds):
        mine.append(_seconds(ours))
        other.append(_seconds(theirs))
    print(f"{what}, median of {rounds} rounds by turns")
    return 0 if report(mine, other, count=count, target=target) else 1


def report(
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    count: int = 1,
    target: float | None = None,
) -> bool:
    """Print both rates and their ratio; whether the target is met.

    :param ours: seconds of each round; `theirs` the same of its neighbour.
    :param count: how many of the thing one round makes.
    :param target: the largest ratio, our time by theirs, that is good.
    """
    quick = statistics.median(ours) / count < 0.1
    for name, seconds in (("ours", ours), ("theirs", theirs)):
        print(f"  {name:7} {rate(statistics.median(seconds) / count, quick=quick)}")
    # Each round against its neighbour, since the machine may be busier a second later
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    met = target is None or ratio <= target
    verdict = "" if target is None else f"; target <= {target:.3g}: {'met' if met else 'MISSED'}"
    print(f"  ratio   {ratio:.2f} of the time, {1 / ratio:.1f} times as fast{verdict}")
    return met


def rate(seconds: float, *, quick: bool = False) -> str:
    """How long one takes, and how many that makes: in a minute, or in a second when it is quick."""
    often = f"{1 / seconds:8.0f} a second" if quick else f"{60 / seconds:8.0f} a minute"
    return f"{seconds * 1000:9.2f} ms each  {often}"


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
