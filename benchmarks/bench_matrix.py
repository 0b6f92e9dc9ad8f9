"""Rows of the capsule table a minute: on a board that only a change costs a boot, against a fresh
boot for each row.

Both take the same rows from memory, in turns of a few, and look at the whole flash after each; ours
as tests/board/capsule/test_matrix.py does. The rows are spread evenly over the table, so the share
of those that write or crash is the table's.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from board import QEMU, board_of

from ubtest.cases.capsule_case import Bench, Case
from ubtest.cases.capsule_case import Path as Way
from ubtest.cases.capsule_headers import HEADERS
from ubtest.cases.capsule_signatures import SIGNATURES
from ubtest.crypto.keyring import KeyRing
from ubtest.errors import FirmwareError
from ubtest.lab.board import Board
from ubtest.media.content import Content
from ubtest.project import Project
from ubtest.uefi.capsules import update_from_memory

SANDBOX = QEMU.with_name("sandbox.yaml")
IMAGE = b"new firmware! " * 35
TURN = 8  # rows


class Run:
    """Rows on a board, one after the other.

    :param fresh: boot before each row, else only where the row before it left a trace.
    :ivar boots: how often it was booted.
    :ivar wrong: rows after which the flash was not as it must be, known bugs among them.
    """

    def __init__(self, board: Board, bench: Bench, *, fresh: bool) -> None:
        self._board, self._bench, self._fresh = board, bench, fresh
        self._untouched: Content | None = None
        self.boots = 0
        self.wrong = 0
        self.seconds: list[float] = []

    def turn(self, rows: Sequence[Case]) -> None:
        """Time these rows, from a board that is off."""
        start = time.perf_counter()
        for row in rows:
            self._one(row)
        self.seconds.append(time.perf_counter() - start)
        self._untouched = None

    def _one(self, row: Case) -> None:
        machine, image = self._board.machine, self._board.image
        if self._untouched is None or self._fresh:
            self._boot()
        before = machine.content(image.flash)
        try:
            update_from_memory(self._board, row.make(self._bench))
        except FirmwareError:  # a crash: a known bug on some versions
            self._untouched = None
        after = machine.content(image.flash)
        self.wrong += after != row.flash_after(self._bench, before, image.region)
        if after != self._untouched:
            self._untouched = None

    def _boot(self) -> None:
        board = self._board
        board.strategy.lost()
        board.off()
        board.machine.renew({board.image.offset: b"old firmware, " * 600})
        self._untouched = board.machine.content(board.image.flash)
        board.boot()
        self.boots += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=64, help="rows of the table (default 64)")
    parser.add_argument("--board", type=Path, action="append", help="default: QEMU and sandbox")
    arguments = parser.parse_args()
    return max(measure(file, arguments.rows) for file in arguments.board or (QEMU, SANDBOX))


def measure(file: Path, number: int) -> int:
    """Print both rates and their ratio; an exit status: 1 when a fresh boot each is as fast."""
    table = [row for rows in {**HEADERS, **SIGNATURES}.values() for row in rows]
    table = [row for row in table if Way.MEMORY in row.paths]
    rows = [table[at * len(table) // number] for at in range(number)]
    keyring = KeyRing.load(Project.find(Path(__file__)).keys)
    with board_of(file) as board:
        bench = Bench(keyring, board.image.image_type, board.image.index, IMAGE)
        ours = Run(board, bench, fresh=False)
        theirs = Run(board, bench, fresh=True)
        for at in range(0, number, TURN):
            for run in (ours, theirs):
                run.turn(rows[at : at + TURN])
    print(f"{file.stem}: {number} rows from memory, by turns of {TURN}")
    for name, run in (("ours", ours), ("a fresh boot each", theirs)):
        rate = number / sum(run.seconds) * 60
        print(f"  {name:18} {rate:6.0f} rows a minute, {run.boots} boots, {run.wrong} wrong")
    pairs = zip(ours.seconds, theirs.seconds, strict=True)
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"  ratio of time      {ratio:6.2f}     target < 1: {'met' if ratio < 1 else 'MISSED'}")
    return 0 if ratio < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
