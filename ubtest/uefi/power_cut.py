"""An update from disk that loses its power at a chosen step, and what the board makes of it.

Steps are counted from outside, in the files that are flash and disk of the machine, so a cut is
placed by what was done and not by a clock that runs differently on every host.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from math import inf
from pathlib import Path

from ubtest.console.uboot_log import RESET
from ubtest.deadline import Deadline
from ubtest.errors import CaseError, FirmwareError, LabError
from ubtest.formats.record import FormatError
from ubtest.formats.status import SUCCESS
from ubtest.formats.varstore import parse_variables
from ubtest.lab.board import Board
from ubtest.lab.qemu import QEMUMachineDriver
from ubtest.lab.uboot import ConsoleWire
from ubtest.media.disk import Disk, MiB
from ubtest.run import run
from ubtest.uefi import capsules
from ubtest.uefi.on_disk import VARIABLE_FILE, OnDiskUpdate
from ubtest.uefi.steps import WORD, Timeline, Watch, backdate, copy, slow_writes

CAPSULE = "good.cap"
# Seconds between two looks; a word takes longer. A watcher that never sleeps would fare worse on a
# busy host: the scheduler makes it wait for whole time slices.
TICK = 0.0002
BOOTS = 3  # without help; an update that starts over and over is not one that recovers
COMMANDS = {"at_boot": "efidebug tables", "by_command": "efidebug capsule disk-update"}


class Region(Enum):
    """What the image's region of the flash holds."""

    OLD = "old"
    TORN = "torn"
    NEW = "new"


class Fate(Enum):
    """What became of the board, from best to worst."""

    NEW = "new whole"
    REAPPLIED = "recovers by reapplying"
    OLD = "old whole"
    ASKED = "torn until asked again"
    TORN = "torn for good"
    BRICKED = "bricked"


@dataclass(frozen=True)
class Trace:
    """What a cut left behind, before the board is on again.

    :param step: how many steps were done, at least as many as were asked for.
    :param store: why the firmware will refuse its variable store; empty when it is good.
    :param damage: what is wrong with the file system beyond what :func:`damage` tolerates.
    """

    step: int
    region: Region
    store: str
    damage: tuple[str, ...]


@dataclass(frozen=True)
class Aftermath:
    """What the board made of it.

    :param lie: what CapsuleLast said that was not so, at any time; empty when nothing.
    :param store: as :attr:`Trace.store`, after all boots.
    :param damage: as :attr:`Trace.damage`, after all boots.
    :param why: what the firmware said last, where it is bricked.
    """

    fate: Fate
    lie: str = ""
    store: str = ""
    damage: tuple[str, ...] = ()
    why: str = ""


class PowerCut:
    """An update on one board that is started from the same flash and disk as often as wanted.

    :param image: what the capsule writes; its words differ from erased flash.
    :param folder: where the disks are made.
    :raises CaseError: the board is not QEMU's, or the image does not fit.
    """

    def __init__(self, board: Board, image: bytes, folder: Path) -> None:
        if not isinstance(board.machine, QEMUMachineDriver):
            raise CaseError("only QEMU's flash and disk can be watched while it runs")
        words = {image[at : at + WORD] for at in range(0, len(image), WORD)}
        if len(image) % WORD or b"\xff" * WORD in words:
            raise CaseError("an image of whole words, none of them like erased flash")
        self._board, self._machine = board, board.machine
        self._image = image
        self._region = board.image.region
        self._old = board.machine.flash(board.image.flash)[self._region]
        self._folder = folder
        self._disk = Disk(folder / "cut.img")

    def prepare(self, capsule: bytes) -> Path:
        """A disk with the capsule, the boot device and the request, of a board that is off."""
        update = OnDiskUpdate(self._board, self._folder)
        update.place({CAPSULE: capsule})
        self._board.off()
        backdate(update.disk)
        return update.disk.path

    def rehearse(self, prepared: Path, path: str) -> Timeline:
        """Let the whole update run, and see its steps.

        :param path: a key of :data:`COMMANDS`.
        """
        with self._running(prepared, path) as watch:
            self._follow(watch)
            timeline = watch.timeline
        self._board.off()
        return timeline

    def cut(self, prepared: Path, path: str, step: int) -> Trace:
        """Start the update and kill the machine as soon as so many steps are done.

        :raises FirmwareError: the update ended before.
        """
        with self._running(prepared, path) as watch:
            self._follow(watch, step)
            self._machine.cut()
            done = watch.look()
        self._board.strategy.lost()
        return Trace(done, self._holds(), self._store(), self._damage())

    def recover(self, trace: Trace) -> Aftermath:
        """Power on with the same flash and disk, first without help, then as a user would help."""
        try:
            self._board.boot()
            self._settle()
            lie, now = self._lie(), self._holds()
            fate = fate_of(trace.region, now)
            if trace.region is now is Region.TORN and self._capsule_left():
                capsules.request_update(self._board.uboot)
                self._board.uboot.reset()
                self._settle()
                lie = lie or self._lie()
                fate = Fate.ASKED if self._holds() is Region.NEW else Fate.TORN
        except (FirmwareError, LabError) as error:  # the lab was well a moment ago
            return Aftermath(Fate.BRICKED, why=str(error))
        return Aftermath(fate, lie, self._store(), self._damage())

    @contextmanager
    def _running(self, prepared: Path, path: str) -> Iterator[Watch]:
        """The board as it is when the update has just been started."""
        self._board.off()
        self._machine.renew({self._region.start: self._old})
        copy(prepared, self._disk.path)
        name = self._machine.attach(self._disk, self._board.storage.bus)
        self._board.boot()
        self._find_disk()
        slow_writes(self._machine, name)
        watch = Watch(self._flash, self._region, self._image, self._disk.path)
        try:
            self._board.uboot.session.send_reset(COMMANDS[path])
            yield watch
        finally:
            watch.close()

    def _follow(self, watch: Watch, until: float = inf, *, timeout: float = 60) -> None:
        """Look until so many steps are done; with no number, until the board has reset."""
        uboot, deadline, heard = self._board.uboot, Deadline(timeout), b""
        wire = ConsoleWire(uboot.console)
        while not deadline.expired:
            if watch.look() >= until:
                return
            said = wire.read(TICK)
            uboot.transcript.received(said)
            heard += said
            if RESET.search(heard):
                if until == inf:
                    return
                raise self._stuck(f"ended after {watch.steps} steps, before step {until}")
        raise self._stuck(f"stands still after {watch.steps} steps")

    def _stuck(self, how: str) -> FirmwareError:
        return FirmwareError(f"the update {how}", tail=self._board.uboot.transcript.tail())

    def _settle(self) -> None:
        """Start EFI at boot after boot, until the firmware leaves capsules alone.

        :raises FirmwareError: no prompt, or no end.
        """
        for _ in range(BOOTS):
            self._find_disk()
            if not capsules.start_efi(self._board.uboot):
                return
        raise FirmwareError(f"the update started again at each of {BOOTS} boots")

    def _lie(self) -> str:
        """What CapsuleLast says that is not so; empty when it tells the truth, or nothing."""
        try:
            report = capsules.last_report(self._board.uboot)
        except FirmwareError as error:
            return error.message
        now = self._holds()
        if report is None or report.result.status != SUCCESS or now is Region.NEW:
            return ""
        return f"{report.name} says SUCCESS, and the region is {now.value}"

    def _find_disk(self) -> None:
        self._board.uboot.check(self._board.storage.find.format(path=self._disk.path))

    def _holds(self) -> Region:
        with self._flash.open("rb") as chip:
            chip.seek(self._region.start)
            region = chip.read(self._region.stop - self._region.start)
        return holds(region, self._old, self._image)

    @property
    def _flash(self) -> Path:
        return self._machine.folder / f"flash{self._board.image.flash}.img"

    def _capsule_left(self) -> bool:
        return f"{capsules.DIRECTORY}/{CAPSULE}" in self._disk.listing()

    def _store(self) -> str:
        raw = self._disk.read(VARIABLE_FILE)
        try:
            parse_variables(raw if raw is not None else b"")
        except FormatError as error:
            return str(error)
        return ""

    def _damage(self) -> tuple[str, ...]:
        """mtools must list the files, which raises by itself, and fsck.fat find little."""
        self._disk.listing()
        volume = self._folder / "esp.fat"
        copy(self._disk.path, volume, MiB)
        said = run(["fsck.fat", "-n", volume], env={"LC_ALL": "C"}, check=False).text
        return damage(said, f"/{capsules.DIRECTORY}/{CAPSULE}")


def holds(region: bytes, old: bytes, image: bytes) -> Region:
    """What a region holds: all of the old, the image with nothing behind it, or neither."""
    if region == old:
        return Region.OLD
    if region == image + b"\xff" * (len(region) - len(image)):
        return Region.NEW
    return Region.TORN


def fate_of(cut: Region, now: Region) -> Fate:
    """What a board that nobody helped has come to.

    :param cut: what the region held when the power went.
    :param now: what it holds after the boots that followed.
    """
    if now is Region.NEW:
        return Fate.NEW if cut is Region.NEW else Fate.REAPPLIED
    return Fate.OLD if now is cut is Region.OLD else Fate.TORN


# Top lines of `fsck.fat -n` (dosfstools 4.2) that are no finding, or one that costs nothing: the
# second FAT is written after the first, and the clusters of a deleted file are freed.
TOLERATED = re.compile(
    r"fsck\.fat |.*: \d+ files, \d+/\d+ clusters$|Leaving filesystem unchanged\.$"
    r"|FATs differ but appear to be intact\.|Reclaimed \d+ unused cluster"
)


def damage(said: str, capsule: str) -> tuple[str, ...]:
    """What `fsck.fat -n` found, without what a cut may do to a file that is being deleted.

    U-Boot frees the clusters of a file, in one FAT and then in the other, before it deletes the
    name. In between the capsule is a name without content. It was applied by then, and everything
    else on the file system is whole. No finding about another file is tolerated.

    :param capsule: the path of that file.
    """
    found: list[str] = []
    for line in filter(None, map(str.rstrip, said.splitlines())):
        if not line.startswith(" "):
            found.append(line)
        elif found:
            found[-1] += f" {line.strip()}"
    return tuple(
        line for line in found if not TOLERATED.match(line) and not line.startswith(f"{capsule} ")
    )
