"""The steps of an update from disk, seen from outside: in the files that are flash and disk."""

import os
import re
import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ubtest.errors import CaseError, FirmwareError
from ubtest.lab.qemu import QEMUMachineDriver
from ubtest.media.disk import Disk, MiB
from ubtest.uefi.on_disk import VARIABLE_FILE

WORD = 4  # bytes that U-Boot writes to the flash at a time (boards/qemu-arm64.config)
WATCHED = 512 * 1024  # bytes from the ESP's start: on a disk that is nearly empty, all of its use
WRITES = 6  # a second; QEMU lets a tenth of that through at once, so no two come together


class Stage(Enum):
    """Between which steps the power went; the order is the order of an update."""

    BEFORE = "before the flash"
    FLASH = "in the flash"
    AFTER = "behind the flash"


@dataclass(frozen=True)
class Timeline:
    """The steps of one whole update, numbered from 1.

    :param disk: numbers of the steps that changed the disk, rising.
    :param erased: number of the step that erased the region; one step a word follows.
    :param words: words of the image.
    """

    disk: tuple[int, ...]
    erased: int
    words: int

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.disk) + 1 + self.words

    def stage(self, step: int) -> Stage:
        """Where a board is that has done so many steps."""
        if step < self.erased:
            return Stage.BEFORE
        return Stage.FLASH if step < self.erased + self.words else Stage.AFTER

    def cuts(self, number: int) -> tuple[int, ...]:
        """So many steps to cut the power behind: the start, every step outside of the image's
        words, and the rest spread evenly over the words.

        :raises CaseError: fewer than that, or more than there are steps.
        """
        fixed = {0, *self.disk, self.erased, self.erased + self.words}
        inside = number - len(fixed)
        if not 0 <= inside < self.words:
            raise CaseError(f"{number} cuts: this update takes {len(fixed)} to {self.steps + 1}")
        spread = (self.erased + self.words * i // (inside + 1) for i in range(1, inside + 1))
        return tuple(sorted(fixed | set(spread)))


class Watch:
    """Counts the steps of an update in the files of a running machine.

    :param flash: the chip's file.
    :param region: where the image is in it.
    :param image: what is being written; no word of it is erased flash.
    :param disk: the disk's file.
    """

    def __init__(self, flash: Path, region: slice, image: bytes, disk: Path) -> None:
        self._region, self._image = region, image
        self._flash = os.open(flash, os.O_RDONLY)
        self._disk = os.open(disk, os.O_RDONLY)
        self._seen = self._settled()
        self._changes: list[int] = []
        self._erased = 0
        self._words = 0

    def close(self) -> None:
        os.close(self._flash)
        os.close(self._disk)

    @property
    def steps(self) -> int:
        """How many steps were seen."""
        return len(self._changes) + bool(self._erased) + self._words

    @property
    def timeline(self) -> Timeline:
        """The steps of an update that has come to its end.

        :raises FirmwareError: the image is not in the flash.
        """
        if self._words * WORD != len(self._image):
            raise FirmwareError(f"{self._words * WORD} bytes of {len(self._image)} were written")
        return Timeline(tuple(self._changes), self._erased, self._words)

    def look(self) -> int:
        """Count what was done since the last look; the steps so far."""
        if self._head() != self._seen:
            self._seen = self._settled()
            self._changes.append(self.steps + 1)
        if not self._erased and self._is_erased():
            self._erased = self.steps + 1
        if self._erased:
            while self._words * WORD < len(self._image) and self._is_written(self._words):
                self._words += 1
        return self.steps

    def _is_erased(self) -> bool:
        """The last word of the region is: an erase runs upwards."""
        return os.pread(self._flash, WORD, self._region.stop - WORD) == b"\xff" * WORD

    def _is_written(self, word: int) -> bool:
        at = word * WORD
        found = os.pread(self._flash, WORD, self._region.start + at)
        return found == self._image[at : at + WORD]

    def _head(self) -> bytes:
        return os.pread(self._disk, WATCHED, MiB)

    def _settled(self) -> bytes:
        """The disk between two writes: one that runs can be seen half done."""
        before = self._head()
        while (now := self._head()) != before:
            before = now
        return now


def slow_writes(machine: QEMUMachineDriver, disk: str) -> None:
    """Hold writes to a virtio disk apart, so that each can be seen from outside."""
    backend = f"/machine/peripheral/{disk}/virtio-backend"
    no_limit = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd"), 0)
    machine.qmp("block_set_io_throttle", id=backend, iops_wr=WRITES, **no_limit)


# Its short name in the folder: 2025.01 has the name as it is, 2023.01 one beside a long name
STORE_ENTRY = re.compile(rb"UBOOTE(?:FI|~\d)VAR")


def backdate(disk: Disk) -> None:
    """Make the variable store of a disk an old file, so that every write of it shows in its date.

    FAT counts in two seconds, and the first write would be two steps or one by the host's speed.

    :raises FirmwareError: there is no store in the root folder.
    """
    with disk.path.open("r+b") as file:
        file.seek(MiB)
        found = STORE_ENTRY.search(file.read(WATCHED))
        if found is None:
            raise FirmwareError(f"the firmware made no {VARIABLE_FILE}")
        file.seek(MiB + found.start() + 22)  # DIR_WrtTime and DIR_WrtDate
        file.write(struct.pack("<HH", 0, 1 << 5 | 1))  # 1 January 1980, 0:00


def copy(source: Path, target: Path, start: int = 0) -> None:
    """Copy an image from an offset on, leaving out what is empty."""
    with source.open("rb") as whole, target.open("wb") as part:
        part.truncate(source.stat().st_size - start)
        whole.seek(start)
        while piece := whole.read(MiB):
            if piece != bytes(len(piece)):
                part.seek(whole.tell() - start - len(piece))
                part.write(piece)
