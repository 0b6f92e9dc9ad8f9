"""Media go into their slots, and come out of them with all that came with them."""

import pytest

from ubtest.errors import CaseError
from ubtest.media.spec import Image, Partition
from ubtest.uefi.media_bus import BUSES, Media

IMAGE = Image((Partition(),), size=8 << 20)


class Machine:
    """Remembers what is plugged in."""

    def __init__(self):
        self.inside = {}

    def attach(self, disk, bus, **options):
        name = f"disk{len(self.inside)}"
        self.inside[name] = (bus, options)
        return name

    def detach(self, name):
        del self.inside[name]


class UBoot:
    def __init__(self):
        self.said = []

    def check(self, line, timeout=10):
        self.said.append(line)


class Board:
    def __init__(self):
        self.machine, self.uboot = Machine(), UBoot()

    def off(self):
        self.uboot.said.append("off")


@pytest.fixture
def media(tmp_path):
    return Media(Board(), tmp_path)


def test_a_stick_says_that_it_is_removable(media):
    media.insert(IMAGE, "stick", port="2")
    media.insert(IMAGE, "usb disk")
    assert list(media.board.machine.inside.values()) == [
        ("usb", {"removable": True, "port": "2"}),
        ("usb", {"removable": False}),
    ]


def test_the_board_is_off_before_it_is_opened(media):
    media.remove(media.insert(IMAGE, "virtio"))
    assert media.board.uboot.said == ["off", "off"]
    assert media.board.machine.inside == {}


def test_media_are_looked_for_once_a_bus_in_the_order_they_were_put_in(media):
    for bus in ("stick", "virtio", "usb disk"):
        media.insert(IMAGE, bus)
    media.board.uboot.said.clear()
    media.find()
    assert media.board.uboot.said == [BUSES["stick"].find, BUSES["virtio"].find]


def test_a_medium_that_moves_keeps_its_content(media):
    before = media.insert(IMAGE, "stick", port="1")
    after = media.move(before, port="3")
    assert after.disk == before.disk
    assert list(media.board.machine.inside.values()) == [("usb", {"removable": True, "port": "3"})]


def test_a_slot_that_the_board_does_not_have(media):
    with pytest.raises(CaseError, match="no slot for a usb-bot"):
        media.insert(IMAGE, "usb cd")
