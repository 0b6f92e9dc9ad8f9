"""A board for a benchmark, QEMU's unless it is told, and the parts of what it does."""

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labgrid import Environment

from ubtest.lab.board import Board

BOARDS = Path(__file__).parents[1] / "boards"
QEMU = BOARDS / "qemu-arm64.yaml"
SANDBOX = BOARDS / "sandbox.yaml"


@contextmanager
def board_of(file: Path = QEMU) -> Iterator[Board]:
    """The board, off; nothing of it is left afterwards."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    env = Environment(str(file))
    try:
        board = Board(env.get_target())
        print(f"firmware: {board.machine.bundle.banner}")
        yield board
    finally:
        env.cleanup()


class Parts:
    """Where the time goes: seconds by name, a part inside of another counted once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]  # of the open parts, how much their own parts took

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens in this block, without the parts in it."""
        start = time.perf_counter()
        self._inside.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self.seconds[name] += took - self._inside.pop()
            self._inside[-1] += took

    @contextmanager
    def watching(self, owner: object, method: str, name: str) -> Iterator[None]:
        """Count every call of an object's method in this block as a part."""
        original: Callable[..., object] = getattr(owner, method)

        def watched(*args: object, **options: object) -> object:
            with self.part(name):
                return original(*args, **options)

        setattr(owner, method, watched)
        try:
            yield
        finally:
            delattr(owner, method)

    def show(self, rounds: int) -> None:
        """Print the mean of each part and its share."""
        total = sum(self.seconds.values())
        for name, seconds in self.seconds.items():
            print(f"  {name:32} {seconds / rounds * 1000:8.1f} ms  {seconds / total:5.0%}")
        print(f"  {'together':32} {total / rounds * 1000:8.1f} ms")
