"""Disks as QEMU is told of them."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.lab.blockdev import BUSES, BlockNode

DISK = BlockNode("disk0", Path("disk.img"), "raw")


@pytest.mark.parametrize("bus", BUSES)
def test_every_bus_takes_a_disk_before_power_on(bus: str) -> None:
    device = DISK.device(bus, port="3")
    assert (device["id"], device["drive"], device["port"]) == ("disk0", "disk0", "3")


def test_a_card_is_put_in_before_power_on() -> None:
    assert DISK.device("usb", hot=True)
    with pytest.raises(CaseError, match="`sd` takes no disk while the machine runs"):
        DISK.device("sd", hot=True)
    with pytest.raises(CaseError, match="`virtio-mmio` takes no disk while the machine runs"):
        DISK.device("virtio-mmio", hot=True)


def test_an_unknown_bus_names_the_known_ones() -> None:
    with pytest.raises(
        CaseError, match="no bus `ide` for a disk: one of virtio, virtio-mmio, usb, scsi, nvme, sd"
    ):
        DISK.device("ide")


def test_another_controller_takes_the_place_of_the_usual_one() -> None:
    assert DISK.device("usb")["bus"] == "xhci.0"
    assert DISK.device("usb", to="device1")["bus"] == "device1.0"
    assert DISK.device("scsi", to="device2", lun=1)["bus"] == "device2.0"
