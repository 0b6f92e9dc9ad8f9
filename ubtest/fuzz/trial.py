"""Cases on the live firmware: many with one console command, each with an outcome of its own."""

import enum
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ubtest.errors import FirmwareError
from ubtest.fuzz.mutation import LARGEST
from ubtest.lab.board import Board
from ubtest.media.content import Content

STRIDE = 0x10000  # bytes from one capsule to the next; zeros behind each
BATCH = 48
HANG = 30.0  # seconds for a batch; the slowest case takes two
WRITTEN = 32  # bytes of an image that tell whose it is
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

    :param before: the image's region in flash before it.
    :param after: the region after it.
    :param outside: whether the rest of the chip changed.
    :param said: what the firmware said last, for a crash or a hang.
    """

    answer: Answer
    before: bytes
    after: bytes
    outside: bool = False
    said: str = ""

    @property
    def changed(self) -> bool:
        return self.after != self.before


class Trials:
    """Runs capsules on one board, and gets it back on its feet whenever one brings it down.

    :param hang: seconds after which a batch counts as hanging.
    """

    def __init__(self, board: Board, *, batch: int = BATCH, hang: float = HANG) -> None:
        self.board = board
        self._batch = batch
        self._hang = hang
        self._region: bytes | None = None  # as it was seen last; None while the board is down
        self._outside = Content(0, {})  # the chip without the region
        self.boots = 0

    def run(self, files: Sequence[bytes]) -> Iterator[Outcome]:
        """The outcome of each capsule, in order.

        :raises LabError: the board is at fault.
        :raises FirmwareError: it does not boot.
        """
        at, there = 0, 0
        while at < len(files):
            if self._region is None or at == there:
                self._put(files[at : at + self._batch])
                there = min(at + self._batch, len(files))
            outcomes = self._some(files[at:there])
            yield from outcomes
            at += len(outcomes)

    def take_over(self) -> None:
        """Boot the board, whatever others did to it."""
        self._region = self._boot()

    def alone(self, file: bytes) -> Outcome:
        """One capsule on a board that has just booted."""
        self._region = None
        self._put([file])
        return self._some([file])[0]

    def _put(self, files: Sequence[bytes]) -> None:
        """Put capsules into the memory of the board, which boots if it must."""
        if self._region is None:
            self._region = self._boot()
        board, first = self.board, self.board.load_address
        board.machine.put(b"".join(file.ljust(STRIDE, b"\0") for file in files), first)
        board.uboot.check(f"setenv a {first:x};setenv z {first + len(files) * STRIDE:x}")

    def _some(self, files: Sequence[bytes]) -> list[Outcome]:
        """The outcomes of the first of those in memory: up to one that was accepted, or a crash."""
        before, uboot = self._region, self.board.uboot
        assert before is not None
        started, fault = time.monotonic(), None
        try:
            said = uboot.command("run f", self._hang).text
        except FirmwareError:
            fault = Answer.HUNG if time.monotonic() - started >= self._hang else Answer.CRASHED
            said = uboot.transcript.tail(1 << 16).rpartition("run f")[2].partition("\n")[2]
        if fault:
            # Where the firmware resets, the machine ends at a moment of its own
            self.board.strategy.lost()
            self.board.off()
        self._region, outside = self._look()
        after = self._region
        outcomes = [
            Outcome(Answer.REFUSED if status != "0" else Answer.SUCCESS, before, before)
            for _, status in MARK.findall(said)
        ]
        if fault or outside:
            self._region = None
        if fault:
            last = MARK.split(said)[-1].strip()
            outcomes = [*outcomes[: len(files) - 1], Outcome(fault, before, before, said=last)]
        if after == before and not outside:
            return outcomes
        # A refused one may have written before one that was accepted wrote nothing
        new = after[:WRITTEN]
        writers = [n for n, file in enumerate(files[: len(outcomes)]) if new in file]
        if len(outcomes) > 1 and len(writers) != 1:
            return [self.alone(file) for file in files[: len(outcomes)]]
        writer = writers[0] if writers else 0
        outcomes[writer] = replace(outcomes[writer], after=after, outside=outside)
        return outcomes

    def _boot(self) -> bytes:
        """A fresh board at its prompt; gives what is in its flash."""
        board, image = self.board, self.board.image
        board.strategy.lost()
        board.off()
        board.machine.renew({image.offset: image.old_content})
        board.boot().check(LOOP)
        self.boots += 1
        region, self._outside = self._chip()
        return region

    def _look(self) -> tuple[bytes, bool]:
        """The region, and whether the rest of the chip changed."""
        region, outside = self._chip()
        return region, outside != self._outside

    def _chip(self) -> tuple[bytes, Content]:
        """The region, and the chip with zeros in its place."""
        image = self.board.image
        flash = self.board.machine.content(image.flash)
        return flash[image.region], flash.written(image.offset, bytes(image.size))
