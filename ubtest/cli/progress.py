"""Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ubtest.firmware.progress import OnProgress, Progress

# Seconds between two lines of one stage in a log
_PAUSE = 5.0


@contextmanager
def progress() -> Iterator[OnProgress]:
    """What a long job calls with each of its steps."""
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield Lines()


class Lines:
    """Each stage when it begins, then every few seconds how far it is."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def __call__(self, now: Progress) -> None:
        if now.stage == self._stage and time.monotonic() < self._next:
            return
        self._stage, self._next = now.stage, time.monotonic() + _PAUSE
        print(_line(now), file=sys.stderr, flush=True)


def _line(now: Progress) -> str:
    words = now.stage
    if now.done and now.total:
        words += f": {min(99, 100 * now.done // now.total)} %"
    if now.seconds >= 1:
        words += f", {_clock(now.seconds)} so far"
    if now.left is not None:
        words += f", about {_clock(now.left)} to go"
    return words


@contextmanager
def _bar() -> Iterator[OnProgress]:
    # Late: it takes a third of the time that `ubtest --help` may take
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[clock]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None, clock="")
        stage = ""

        def show(now: Progress) -> None:
            nonlocal task, stage
            if now.stage != stage:
                bars.remove_task(task)
                task = bars.add_task(now.stage, total=None, clock="")
                stage = now.stage
            clock = _clock(now.seconds) if now.seconds >= 1 else ""
            if now.left is not None:
                clock += f", about {_clock(now.left)} to go"
            # A total that turned out too small is no reason to show a full bar
            total = max(now.total, now.done + 1) if now.total else None
            bars.update(task, completed=now.done, total=total, clock=clock)

        yield show


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
