"""What the boot tests share: a disk with a probe, and the option that leads to it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from boot_names import ENTRY

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.pe import Machine
from ubtest.lab.board import Board
from ubtest.media.build import build_image, partition_of
from ubtest.media.spec import Image, Partition
from ubtest.probe.build import probe
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot_plan import BootPlan, machine_of
from ubtest.uefi.media_bus import Media
from ubtest.uefi.planned import Planned

SIZE = 16 << 20  # bytes of a medium, and what an SD card may have: a power of two


@pytest.fixture
def machine(firmware) -> Machine:
    """The processor, with the name of its default boot file."""
    return machine_of(firmware)


@pytest.fixture
def boot_file(machine) -> Callable[[Orders], dict[str, bytes]]:
    """The default boot file with the probe in it, as files of a medium."""
    return lambda orders: {machine.boot_path: probe(machine.name, orders)}


@pytest.fixture
def insert(board: Board, tmp_path: Path) -> Callable[[Image], None]:
    """Builds an image, attaches it, boots to the prompt and lets U-Boot look for disks."""

    def insert(image: Image) -> None:
        disk = build_image(image, tmp_path / f"{image.identity}.img")
        board.machine.attach(disk, board.storage.bus)
        board.boot().check(board.storage.find.format(path=disk.path))

    return insert


@pytest.fixture
def option(board: Board, machine: Machine) -> Callable[[Image, bytes], LoadOption]:
    """Writes Boot0007, an option for the boot file in its short form, and a BootOrder with it."""

    def option(image: Image, data: bytes = b"") -> LoadOption:
        found = partition_of(image)
        sectors = found.last_lba - found.first_lba + 1
        drive = hard_drive(HardDrive(1, found.first_lba, sectors, found.unique_guid))
        path = drive + file_path(machine.boot_path_name) + END
        made = LoadOption("probe", path, data=data)
        variables.write(board.uboot, f"Boot{ENTRY:04X}", made.pack())
        variables.write(board.uboot, "BootOrder", ENTRY.to_bytes(2, "little"))
        return made

    return option


@pytest.fixture
def orders() -> Orders:
    """Orders with a nonce that no other test has."""
    return Orders()


@pytest.fixture
def planned(board: Board, tmp_path: Path) -> Callable[[BootPlan], Planned]:
    """Boots the board with the disk of a plan to its prompt."""
    return lambda plan: Planned(board, plan, tmp_path)


@pytest.fixture
def media(board, tmp_path) -> Media:
    return Media(board, tmp_path)


@pytest.fixture
def medium_of(machine) -> Callable[..., Image]:
    """Describes a medium whose default file is a probe of its own, told by `orders`."""

    def medium_of(orders: Orders, *, path: str = "", **rest) -> Image:
        partition = Partition({path or machine.boot_path: probe(machine.name, orders)})
        return Image((partition,), **{"size": SIZE, "identity": orders.nonce, **rest})

    return medium_of


@pytest.fixture
def stick_of(medium_of) -> Callable[..., Image]:
    """The same without the type of a system partition: variables stay on the fixed disk."""

    def stick_of(orders: Orders, **rest) -> Image:
        image = medium_of(orders, **rest)
        parts = tuple(replace(part, kind="basic-data") for part in image.partitions)
        return replace(image, partitions=parts)

    return stick_of
