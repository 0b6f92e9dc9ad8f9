"""The options that the firmware makes itself: for what is there, as long as it is there, and beside
those of the user."""

import pytest

from ubtest.formats.devpath import END, file_path
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import boot
from ubtest.uefi.media_bus import BUSES, Media
from ubtest.uefi.planned import options_in, order_of

pytestmark = pytest.mark.needs(
    "CMD_BOOTEFI_BOOTMGR", "CMD_EFICONFIG", "EFI_VARIABLE_FILE_STORE", "!SANDBOX"
)

needs_stick = pytest.mark.needs(*BUSES["stick"].needs, *BUSES["virtio"].needs)


USER = LoadOption("mine", file_path("\\NONE.EFI") + END, data=b"of the user")


def add_user_option(media: Media, number: int) -> None:
    """Write an option as a user does, first in the order."""
    found = order_of(media.variables())
    variables.write(media.board.uboot, f"Boot{number:04X}", USER.pack())
    value = b"".join(each.to_bytes(2, "little") for each in [number, *found])
    variables.write(media.board.uboot, "BootOrder", value)


def after_a_restart(media: Media) -> dict[str, variables.Variable]:
    media.start()
    media.make_options()
    return media.variables()


def booted(media: Media, number: int) -> list[str]:
    """The nonces of what one option starts."""
    variables.write(media.board.uboot, "BootNext", number.to_bytes(2, "little"))
    return boot(media.board).nonces()


@needs_stick
@pytest.mark.slow
def test_options_are_there_for_what_is_there(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    media.insert(stick_of(stick), "stick")
    found = after_a_restart(media)
    made = options_in(found)
    assert sorted(made) == sorted(order_of(found))
    assert all(each.attributes == ACTIVE for each in made.values())
    started = [booted(media, number) for number in made]
    assert sorted(started) == sorted([[disk.nonce], [stick.nonce]])


@needs_stick
@pytest.mark.slow
def test_no_options_without_media(media):
    media.start()
    media.make_options()
    found = media.variables()
    assert (options_in(found), order_of(found)) == ({}, [])
    assert boot(media.board).status not in (0, None)


@needs_stick
@pytest.mark.slow
def test_options_are_the_same_after_a_restart(media, medium_of, stick_of):
    media.insert(medium_of(Orders()), "virtio")
    media.insert(stick_of(Orders()), "stick")
    before = after_a_restart(media)
    after = after_a_restart(media)
    assert len(options_in(before)) == 2
    assert options_in(after) == options_in(before)
    assert order_of(after) == order_of(before)


@needs_stick
def test_the_option_of_a_medium_goes_with_it(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    inserted = media.insert(stick_of(stick), "stick")
    before = after_a_restart(media)
    add_user_option(media, 0x42)
    with_user = options_in(media.variables())
    media.remove(inserted)
    after = after_a_restart(media)
    kept = [number for number in order_of(before) if number in options_in(after)]
    assert len(kept) == len(order_of(before)) - 1 == 1
    assert options_in(after) == {number: with_user[number] for number in (0x42, *kept)}
    assert order_of(after) == [0x42, *kept]
    assert booted(media, kept[0]) == [disk.nonce]


@needs_stick
@pytest.mark.slow
def test_a_new_medium_gets_an_option_behind_all_others(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    after_a_restart(media)
    add_user_option(media, 0x42)
    before = media.variables()
    media.insert(stick_of(stick), "stick")
    after = after_a_restart(media)
    assert order_of(after)[: len(order_of(before))] == order_of(before)
    new = order_of(after)[len(order_of(before)) :]
    assert list(options_in(after).keys() - options_in(before).keys()) == new
    assert options_in(before).items() <= options_in(after).items()
    assert [booted(media, number) for number in new] == [[stick.nonce]]


@pytest.mark.slow
def test_a_number_that_the_user_took_is_left_alone(media, medium_of):
    orders = Orders()
    media.insert(medium_of(orders), "virtio")
    made = options_in(after_a_restart(media))
    assert len(made) == 1
    taken = min(made)
    variables.write(media.board.uboot, f"Boot{taken:04X}", USER.pack())
    after = after_a_restart(media)
    made = options_in(after)
    assert made.pop(taken, None) == USER
    assert order_of(after) == [taken, *made]
    assert [booted(media, number) for number in made] == [[orders.nonce]]


@needs_stick
@pytest.mark.slow
def test_a_stick_moved_to_another_port(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    inserted = media.insert(stick_of(stick), "stick", port="1")
    before = after_a_restart(media)
    add_user_option(media, 0x42)
    media.move(inserted, port="3")
    after = after_a_restart(media)
    assert options_in(after).get(0x42) == USER
    assert order_of(after)[:1] == [0x42]
    assert len(order_of(after)) == len(order_of(before)) + 1
    started = [booted(media, number) for number in order_of(after)[1:]]
    assert sorted(started) == sorted([[disk.nonce], [stick.nonce]])
