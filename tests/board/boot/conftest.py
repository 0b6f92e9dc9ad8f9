"""What the boot tests share: a disk with a probe, and the option that leads to it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.loadopt import LoadOption
from ubtest.lab.board import Board
from ubtest.media.build import build_image, partition_of
from ubtest.media.spec import Image
from ubtest.probe.orders import Orders
from ubtest.uefi import variables

BOOT_FILE = "EFI/BOOT/BOOTAA64.EFI"
ENTRY = 7  # Boot0007: a number that no firmware gives by itself first


@pytest.fixture
def insert(board: Board, tmp_path: Path) -> Callable[[Image], None]:
    """Builds an image, attaches it, boots to the prompt and lets U-Boot look for disks."""

    def insert(image: Image) -> None:
        disk = build_image(image, tmp_path / f"{image.identity}.img")
        board.machine.attach(disk, board.storage.bus)
        board.boot().check(board.storage.find.format(path=disk.path))

    return insert


@pytest.fixture
def option(board: Board) -> Callable[[Image, bytes], LoadOption]:
    """Writes Boot0007, an option for the boot file in its short form, and a BootOrder with it."""

    def option(image: Image, data: bytes = b"") -> LoadOption:
        found = partition_of(image)
        sectors = found.last_lba - found.first_lba + 1
        drive = hard_drive(HardDrive(1, found.first_lba, sectors, found.unique_guid))
        name = "\\" + BOOT_FILE.replace("/", "\\")
        made = LoadOption("probe", drive + file_path(name) + END, data=data)
        variables.write(board.uboot, f"Boot{ENTRY:04X}", made.pack())
        variables.write(board.uboot, "BootOrder", ENTRY.to_bytes(2, "little"))
        return made

    return option


@pytest.fixture
def orders() -> Orders:
    """Orders with a nonce that no other test has."""
    return Orders()
