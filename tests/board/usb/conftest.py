"""What the USB tests share: sticks of one model and serial number, and where they are plugged."""

from collections.abc import Callable
from pathlib import Path

import pytest
from usb_names import ENTRY, only

from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_from_text import path_of
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.pe import Machine
from ubtest.lab.board import Board
from ubtest.media.disk import Disk, build_disk
from ubtest.probe.build import probe
from ubtest.uefi import variables
from ubtest.uefi.boot_plan import machine_of
from ubtest.uefi.media_bus import BUSES, SHORT_WAITS

SERIAL = "0123456789"  # that all sticks here have


@pytest.fixture
def machine(firmware) -> Machine:
    """The processor, with the name of its default boot file."""
    return machine_of(firmware)


@pytest.fixture
def stick(machine: Machine, tmp_path: Path) -> Callable[..., Disk]:
    """Makes the image of a stick; with orders, the boot probe is on it."""

    def make(identity="stick", orders=None, *, name=None) -> Disk:
        files = {"who.txt": identity.encode()}
        if orders:
            files = {machine.boot_path: probe(machine.name, orders)}
        return build_disk(tmp_path / f"{name or identity}.img", files, identity=identity)

    return make


@pytest.fixture
def plug(board: Board) -> Callable[..., str]:
    """Plugs a stick in; gives the name to detach it by."""

    def plug(disk: Disk, port: str, *, to: str = "xhci") -> str:
        return board.machine.attach(disk, "usb", to=to, port=port, serial=SERIAL)

    return plug


@pytest.fixture
def usb(board: Board):
    """The board at its prompt with USB started; its clock is fast unless told.

    Not for menus: a key of several bytes would come too slowly.
    """

    def start(*, icount: int | None = SHORT_WAITS):
        if icount is not None:
            board.machine.shape(icount=icount)
        uboot = board.boot()
        uboot.check(BUSES["stick"].find, timeout=30)
        return uboot

    return start


@pytest.fixture
def option(board: Board, machine: Machine) -> Callable[..., LoadOption]:
    """Writes Boot0020 for a partition's boot file, by the text of the partition's path, as the
    only entry of BootOrder."""

    def option(partition) -> LoadOption:
        nodes = b"".join(node.pack() for node in path_of(partition.path))
        made = LoadOption("one stick", nodes + file_path(machine.boot_path_name) + END)
        variables.write(board.uboot, f"Boot{ENTRY:04X}", made.pack())
        only(board)
        return made

    return option
