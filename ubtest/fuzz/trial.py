"""Cases on the live firmware: many with one console command, each with an outcome of its own."""

import enum
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ubtest.errors import FirmwareError
from ubtest.fuzz.mutation import LARGEST
from ubtest.lab.board import Board

STRIDE = 0x10000  # bytes from one capsule to the next; zeros behind each
BATCH = 48
HANG = 30.0  # seconds for a batch; the slowest case takes two
WRITTEN = 32  # bytes of an image that tell whose it is
OLD = b"old firmware, "
assert LARGEST < STRIDE

# Stops behind a capsule that was accepted, so that the flash is looked at for that one alone, and
# goes on from there
LOOP = (
    "setenv f 's=1;while itest $a != $z && test $s != 0;do efidebug capsule update $a;s=$?;"
    f'echo "<$a $s>";setexpr a $a + {STRIDE:x};done\''
)
MARK = re.compile(r"^<([0-9a-f]+) (\d+)>$", re.MULTILINE)


class Answer(enum.Enum):
    """What the firmware did."""

    SUCCESS = "success"
    REFUSED = "refused"
    CRASHED = "crash"
    HUNG = "hang"


@dataclass(frozen=True)
class Outcome:
    """One case on the board.

    :param before: the whole flash chip before it.
    :param after: the chip after it; the same object where nothing changed.
    :param said: what the firmware said last, for a crash or a hang.
    """

    answer: Answer
    before: bytes
    after: bytes
    said: str = ""

    @property
    def changed(self) -> bool:
        return self.after is not self.before


class Trials:
    """Runs capsules on one board, and gets it back on its feet whenever one brings it down.

    :param hang: seconds after which a batch counts as hanging.
    """

    def __init__(self, board: Board, *, batch: int = BATCH, hang: float = HANG) -> None:
        self._board = board
        self._batch = batch
        self._hang = hang
        self._flash: bytes | None = None  # as it was seen last; None while the board is down
        self.boots = 0

    def run(self, files: Sequence[bytes]) -> Iterator[Outcome]:
        """The outcome of each capsule, in order.

        :raises LabError: the board is at fault.
        :raises FirmwareError: it does not boot.
        """
        at, there = 0, 0
        while at < len(files):
            if self._flash is None or at == there:
                self._put(files[at : at + self._batch])
                there = min(at + self._batch, len(files))
            outcomes = self._some(files[at:there])
            yield from outcomes
            at += len(outcomes)

    def alone(self, file: bytes) -> Outcome:
        """One capsule on a board that has just booted."""
        self._flash = None
        self._put([file])
        return self._some([file])[0]

    def _put(self, files: Sequence[bytes]) -> None:
        """Put capsules into the memory of the board, which boots if it must."""
        if self._flash is None:
            self._flash = self._boot()
        board, first = self._board, self._board.load_address
        board.machine.put(b"".join(file.ljust(STRIDE, b"\0") for file in files), first)
        board.uboot.check(f"setenv a {first:x};setenv z {first + len(files) * STRIDE:x}")

    def _some(self, files: Sequence[bytes]) -> list[Outcome]:
        """The outcomes of the first of those in memory: up to one that was accepted, or a crash."""
        before, uboot = self._flash, self._board.uboot
        assert before is not None
        started, fault = time.monotonic(), None
        try:
            said = uboot.command("run f", self._hang).text
        except FirmwareError as error:
            fault = Answer.HUNG if time.monotonic() - started >= self._hang else Answer.CRASHED
            said = uboot.transcript.tail(1 << 16).rpartition("run f")[2] or error.tail
        after = self._look(before)
        outcomes = [
            Outcome(Answer.REFUSED if status != "0" else Answer.SUCCESS, before, before)
            for _, status in MARK.findall(said)
        ]
        if fault:
            self._flash = None
            last = MARK.split(said)[-1].strip()
            outcomes = [*outcomes[: len(files) - 1], Outcome(fault, before, before, last)]
        if after is before:
            return outcomes
        writer = len(outcomes) - 1
        if writer and outcomes[writer].answer is not Answer.SUCCESS:
            new = after[self._board.image.region][:WRITTEN]
            writers = [n for n, file in enumerate(files[: len(outcomes)]) if new in file]
            if len(writers) != 1:
                return [self.alone(file) for file in files[: len(outcomes)]]
            (writer,) = writers
        outcomes[writer] = replace(outcomes[writer], after=after)
        return outcomes

    def _boot(self) -> bytes:
        """A fresh board at its prompt; gives what is in its flash."""
        board, image = self._board, self._board.image
        board.strategy.lost()
        board.off()
        board.machine.renew({image.offset: (OLD * (image.size // len(OLD) + 1))[: image.size]})
        board.boot().check(LOOP)
        self.boots += 1
        return bytes(board.machine.flash(image.flash))

    def _look(self, before: bytes) -> bytes:
        now: bytes = self._board.machine.flash(self._board.image.flash)
        if now != before:
            self._flash = now
            return now
        return before
