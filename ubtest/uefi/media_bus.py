"""Media on the buses of a machine: how they get there, and how U-Boot is told to look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.formats.varstore import Variable
from ubtest.lab.board import Board
from ubtest.lab.qemu import QEMUMachineDriver
from ubtest.media.build import build_image
from ubtest.media.disk import Disk
from ubtest.media.spec import Image
from ubtest.uefi import variables
from ubtest.uefi.eficonfig import EfiConfig


@dataclass(frozen=True)
class Bus:
    """One kind of slot for a medium.

    :param attach: the machine's bus.
    :param find: the command that makes U-Boot look there.
    :param needs: symbols of the firmware's configuration.
    :param options: properties of the device.
    :param controller: a device of its own that the medium is plugged into.
    """

    attach: str
    find: str
    needs: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    controller: str = ""


_STICK = ("USB_XHCI_PCI", "USB_STORAGE", "CMD_USB", "CMD_PCI")
# U-Boot waits by its clock for every port and stick. With 64 ns an instruction that takes a tenth,
# and the 5 s that it gives a transfer are still half a second of the host
SHORT_WAITS = 6
_FIND_STICK = "pci enum && usb start"  # on x86 nobody looked at PCI before
BUSES = {
    "virtio": Bus("virtio", "virtio scan", ("VIRTIO_PCI", "VIRTIO_BLK")),
    "nvme": Bus("nvme", "nvme scan", ("NVME_PCI", "CMD_NVME")),
    # QEMU's stick says that it is removable only when it is told to
    "stick": Bus("usb", _FIND_STICK, _STICK, {"removable": True}),
    "usb disk": Bus("usb", _FIND_STICK, _STICK, {"removable": False}),
    # the list looks at PCI
    "sd": Bus("sd", "mmc list && mmc rescan", ("MMC_PCI", "CMD_MMC")),
    "usb cd": Bus("scsi", _FIND_STICK, _STICK, {"driver": "scsi-cd"}, controller="usb-bot"),
}


@dataclass(frozen=True)
class Medium:
    """One that is in its slot.

    :param names: of its devices at the machine, the last one plugged in first.
    """

    bus: Bus
    disk: Disk
    names: tuple[str, ...]


class Media:
    """A board with media, from power-on to what the firmware makes of them."""

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self._folder = folder
        self._numbers = count()
        self._inside: list[Medium] = []

    def insert(self, image: Image, bus: str, **options: object) -> Medium:
        """Put a medium into the board, off.

        :param bus: a name of :data:`BUSES`.
        :param options: more properties of the device, e.g. ``port="2"`` for USB.
        :raises CaseError: the machine cannot have it.
        """
        slot = BUSES[bus]
        disk = build_image(image, self._folder / f"medium{next(self._numbers)}.img")
        return self._into(slot, disk, options)

    def remove(self, medium: Medium) -> None:
        """Take one out of the board, off."""
        self.board.off()
        for name in medium.names:
            self.board.machine.detach(name)
        self._inside.remove(medium)

    def move(self, medium: Medium, **options: object) -> Medium:
        """Take one out and put it in again with other properties."""
        self.remove(medium)
        return self._into(medium.bus, medium.disk, options)

    def start(self) -> None:
        """From power-on to the prompt; the media are found, the EFI subsystem has yet to start."""
        self.board.off()
        sticks = any(medium.bus.find == _FIND_STICK for medium in self._inside)
        machine, traits = self.board.machine, self.board.machine.bundle.traits
        if sticks and traits.auto_boot_options and isinstance(machine, QEMUMachineDriver):
            machine.shape(icount=SHORT_WAITS)  # not for menus: their keys would come too slowly
        self.board.boot()
        self.find()

    def find(self) -> None:
        """Let U-Boot look for the media, bus by bus in the order in which they were put in."""
        for command in dict.fromkeys(medium.bus.find for medium in self._inside):
            self.board.uboot.check(command, timeout=60)

    def make_options(self) -> None:
        """Have the firmware make its options for the media: when EFI starts, or in a menu."""
        if not self.board.machine.bundle.traits.auto_boot_options:
            with EfiConfig(self.board.uboot) as menu:
                menu.leave()

    def variables(self) -> dict[str, Variable]:
        """All variables at this moment; this starts the EFI subsystem."""
        found = variables.parse(self.board.uboot.check("printenv -e", timeout=60))
        return {variable.name: variable for variable in found}

    def _into(self, bus: Bus, disk: Disk, options: Mapping[str, object]) -> Medium:
        self.board.off()
        machine, options = self.board.machine, {**bus.options, **options}
        controllers = []
        if bus.controller:
            if not isinstance(machine, QEMUMachineDriver):
                raise CaseError(
                    f"this board has no slot for a {bus.controller}",
                    next_step="let the test need a symbol of QEMU's boards",
                )
            controllers = [machine.plug(bus.controller, to="xhci")]
            options["to"] = controllers[0]
        name = machine.attach(disk, bus.attach, **options)
        medium = Medium(bus, disk, (name, *controllers))
        self._inside.append(medium)
        return medium
