"""A board with the disk of a boot plan: boot it, and see which options started and what stays."""

import re
from collections.abc import Mapping
from pathlib import Path

from ubtest.errors import FirmwareError
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable, parse_variables
from ubtest.lab.board import Board
from ubtest.media.build import build_image
from ubtest.uefi import variables
from ubtest.uefi.boot import Boot, boot
from ubtest.uefi.boot_plan import BootPlan, machine_of
from ubtest.uefi.on_disk import VARIABLE_FILE

NUMBER = re.compile(r"Boot([0-9A-F]{4})")


class Planned:
    """At the prompt, with the disk found; the EFI subsystem has yet to start."""

    def __init__(self, board: Board, plan: BootPlan, folder: Path) -> None:
        self.board = board
        self.plan = plan
        self.disk = build_image(plan.image(machine_of(board.machine.bundle)), folder / "boot.img")
        board.machine.attach(self.disk, board.storage.bus)
        self.start()

    def start(self) -> None:
        """Power on, off before where it was on; the disk is found."""
        self.board.off()
        self.board.boot()
        self.find()

    def find(self) -> None:
        """Let U-Boot look for the disk: EFI sees only what was found before it starts."""
        self.board.uboot.check(self.board.storage.find.format(path=self.disk.path))

    def boot(self) -> Boot:
        """Let the boot manager boot; see :func:`ubtest.uefi.boot.boot`."""
        return boot(self.board)

    def options_of(self, tried: Boot) -> list[int]:
        """The numbers of the options whose probes started, in that order.

        :raises FirmwareError: a probe that is not of this plan.
        """
        numbers = {self.plan.orders(number).nonce: number for number in self.plan.entries}
        try:
            return [numbers[nonce] for nonce in tried.nonces()]
        except KeyError as error:
            raise FirmwareError(f"a probe that nobody planned: {error}", tail=tried.text) from error

    def now(self) -> dict[str, Variable]:
        """All variables at this moment, by name."""
        found = variables.parse(self.board.uboot.check("printenv -e", timeout=60))
        return {variable.name: variable for variable in found}

    def stored(self) -> dict[str, Variable]:
        """The variables in the store on the disk, read behind the firmware's back.

        :raises FirmwareError: the firmware damaged the store.
        """
        try:
            found = parse_variables(self.disk.read(VARIABLE_FILE) or b"")
        except FormatError as error:
            raise FirmwareError(f"the variable store on the disk is damaged: {error}") from error
        return {variable.name: variable for variable in found}


def options_in(found: Mapping[str, Variable]) -> dict[int, LoadOption]:
    """The boot options among variables, by number.

    :raises FirmwareError: the value of one is no load option.
    """
    options = {}
    for name, variable in found.items():
        if match := NUMBER.fullmatch(name):
            try:
                options[int(match[1], 16)] = LoadOption.parse(variable.data)
            except FormatError as error:
                raise FirmwareError(f"{name} is no load option: {error}") from error
    return options


def order_of(found: Mapping[str, Variable]) -> list[int]:
    """The numbers in BootOrder; none where there is no BootOrder."""
    value = found["BootOrder"].data if "BootOrder" in found else b""
    return [int.from_bytes(value[at : at + 2], "little") for at in range(0, len(value), 2)]
