"""A capsule update from disk, from the files on the ESP to what became of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import FirmwareError
from ubtest.formats.capsule import CapsuleResult
from ubtest.formats.guid import CAPSULE_REPORT
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable, pack_variables, parse_variables
from ubtest.lab.board import Board
from ubtest.media.disk import DEFAULT, Disk, build_disk, esp
from ubtest.uefi import capsules
from ubtest.uefi.bootmgr import boot_entry, boot_order

VARIABLE_FILE = "ubootefi.var"
RESULT = re.compile(r"Capsule[0-9A-F]{4}")


@dataclass(frozen=True)
class Outcome:
    """What the firmware did with the files, as it says itself and as the disk shows.

    :param reset: it reset the board, as it must after an update.
    :param report: result variables; None when no capsule was ever processed.
    :param requested: OsIndications still asks for an update.
    :param files: what is left in \\EFI\\UpdateCapsule, read from the disk.
    :param stored: the variables in the store on the disk, by name.
    """

    reset: bool
    report: capsules.Report | None
    requested: bool
    files: tuple[str, ...]
    stored: Mapping[str, Variable]

    @property
    def status(self) -> int | None:
        """EFI_STATUS of the last capsule; None when there was none."""
        return self.report.result.status if self.report else None

    @property
    def results(self) -> dict[str, CapsuleResult]:
        """Every CapsuleXXXX in the store on the disk, by name and in the order of the names.

        :raises FirmwareError: one of them is not a result.
        """
        try:
            return {
                name: CapsuleResult.parse(variable.data)
                for name, variable in sorted(self.stored.items())
                if variable.guid == CAPSULE_REPORT and RESULT.fullmatch(name)
            }
        except FormatError as error:
            raise FirmwareError(f"a result in the store on the disk: {error}") from error


class OnDiskUpdate:
    """One board with one disk whose ESP carries capsules.

    :param folder: where the disk image is made.
    :ivar storage: how the disk reaches the board; at first what the board file says.
    """

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self.storage = board.storage
        self._path = folder / "esp.img"
        self._attached: list[str] = []
        self._stored_request = False
        self.disk = Disk(self._path)

    def place(
        self,
        files: Mapping[str, bytes],
        *,
        boot_device: bool = True,
        requested: bool = True,
        variables: Iterable[Variable] = (),
        extra: Mapping[str, bytes] | None = None,
        size: int = DEFAULT,
        beside: Iterable[Disk] = (),
        read_only: bool = False,
        stored: bool = False,
    ) -> None:
        """Put capsules on a disk, boot with it and ask for the update.

        The next call takes the board off and the disks out, and goes on with a new disk.

        :param files: name in \\EFI\\UpdateCapsule -> content.
        :param boot_device: let BootOrder lead to the disk.
        :param requested: set OsIndications.
        :param variables: what is in the store on the disk before the first boot.
        :param extra: other files, path in the ESP -> content.
        :param size: bytes of the disk.
        :param beside: disks that are attached behind this one.
        :param read_only: the board cannot write to its disks.
        :param stored: boot device and request are in the store on the disk, as an operating
            system leaves them, and are not typed: the EFI subsystem has yet to start.
        """
        self._take_out()
        self._stored_request = stored
        if stored:
            named = (boot_entry(1, esp(size=size)), boot_order(1)) if boot_device else ()
            asked = (capsules.requested(),) if requested else ()
            variables = (*variables, *named, *asked)
            boot_device = requested = False
        self.disk = build_disk(
            self._path, esp_files(files, variables=variables, extra=extra), size=size
        )
        locked = {"read_only": True} if read_only else {}
        for disk in (self.disk, *beside):
            self._attached.append(self.board.machine.attach(disk, self.storage.bus, **locked))
        uboot = self.board.boot()
        self.find_disk()
        if boot_device:
            capsules.name_boot_device(uboot, self.storage.partition)
        if requested:
            capsules.request_update(uboot)

    def find_disk(self) -> None:
        """Let U-Boot look for the disk: EFI sees only what was found before it starts."""
        self.board.uboot.check(self.storage.find.format(path=self.disk.path))

    def by_command(self, *, timeout: float = 60) -> Outcome:
        """Apply with ``efidebug capsule disk-update``."""
        return self._outcome(capsules.update_now(self.board.uboot, timeout=timeout))

    def at_boot(self, *, timeout: float = 60) -> Outcome:
        """The firmware finds the capsules by itself when its EFI subsystem starts: in this boot
        when all that it needs is stored on the disk, else after a reset."""
        uboot = self.board.uboot
        if not self._stored_request:
            uboot.reset()
            self.find_disk()
        return self._outcome(capsules.start_efi(uboot, timeout=timeout))

    def _take_out(self) -> None:
        if self._attached:
            self.board.off()
        while self._attached:
            self.board.machine.detach(self._attached.pop())

    def _outcome(self, reset: bool) -> Outcome:
        uboot = self.board.uboot
        if reset:
            self.find_disk()
        report, requested = capsules.report_and_request(uboot)
        return Outcome(
            reset,
            report,
            requested,
            self._left(),
            self._stored(),
        )

    def _left(self) -> tuple[str, ...]:
        prefix = f"{capsules.DIRECTORY}/"
        names = self.disk.listing()
        return tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def _stored(self) -> dict[str, Variable]:
        raw = self.disk.read(VARIABLE_FILE)
        try:
            found = parse_variables(raw) if raw is not None else ()
        except FormatError as error:
            raise FirmwareError(f"the variable store on the disk is damaged: {error}") from error
        return {variable.name: variable for variable in found}


def esp_files(
    files: Mapping[str, bytes],
    *,
    variables: Iterable[Variable] = (),
    extra: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """What is on an ESP that carries capsules; see :meth:`OnDiskUpdate.place`."""
    content = {f"{capsules.DIRECTORY}/{name}": data for name, data in files.items()}
    content.update(extra or {})
    if stored := tuple(variables):
        content[VARIABLE_FILE] = pack_variables(stored)
    return content
