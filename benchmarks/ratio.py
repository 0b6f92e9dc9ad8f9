"""Two ways to do one thing, measured by turns in one run, so that a busy machine hurts both."""

import statistics
import time
from collections.abc import Callable


def compare(
    what: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int,
    target: float,
) -> int:
    """Print both medians and their ratio.

    :param rounds: how often each is measured, after one round that warms the caches.
    :param target: the largest ratio, ours by theirs, that is good.
    :return: an exit status: 1 when the target is missed.
    """
    ours(), theirs()
    mine, other = [], []
    for _ in range(rounds):
        mine.append(_seconds(ours))
        other.append(_seconds(theirs))
    ratio = statistics.median(mine) / statistics.median(other)
    met = ratio <= target
    print(f"{what}, median of {rounds} rounds by turns")
    print(f"  ours    {statistics.median(mine) * 1000:8.2f} ms")
    print(f"  theirs  {statistics.median(other) * 1000:8.2f} ms")
    print(f"  ratio   {ratio:8.2f}     target <= {target:g}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
