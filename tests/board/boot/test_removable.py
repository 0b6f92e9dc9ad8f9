"""Media without a boot option of their own (UEFI 2.10 section 3.5.1.1): the default file starts,
removable media first, and the firmware's own options follow what is there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_text import parse_path
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.media.damage import DAMAGES
from ubtest.media.spec import Image, Partition
from ubtest.probe.build import probe
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import Boot, boot
from ubtest.uefi.boot_plan import machine_of, other_machine
from ubtest.uefi.media_bus import BUSES, Media

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "CMD_EFICONFIG", "!SANDBOX")

SIZE = 16 << 20  # bytes of a disk, and what an SD card may have: a power of two
NUMBER = re.compile(r"Boot([0-9A-F]{4})")


def on(*names: str, quick: tuple[str, ...] = ()) -> list[object]:
    """Buses as parameters; slow but for the quick ones."""
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.needs(*BUSES[name].needs),
                *([] if name in quick else [pytest.mark.slow]),
            ],
        )
        for name in names
    ]


CD = pytest.param(
    "usb cd",
    marks=[
        pytest.mark.slow,
        pytest.mark.needs(*BUSES["usb cd"].needs),
        pytest.mark.known_bug("cd-of-whole-sectors"),
    ],
)
needs_stick = pytest.mark.needs(*BUSES["stick"].needs, *BUSES["virtio"].needs)


@pytest.fixture
def media(board, tmp_path) -> Media:
    return Media(board, tmp_path)


@pytest.fixture
def medium_of(firmware) -> Callable[..., Image]:
    """Describes a medium whose default file is a probe of its own, told by `orders`."""

    def medium_of(orders: Orders, *, path: str = "", **rest) -> Image:
        machine = machine_of(firmware)
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


def options(found: Mapping[str, variables.Variable]) -> dict[int, LoadOption]:
    """The boot options among variables, by number."""
    return {
        int(match[1], 16): LoadOption.parse(variable.data)
        for name, variable in found.items()
        if (match := NUMBER.fullmatch(name))
    }


def order(found: Mapping[str, variables.Variable]) -> list[int]:
    value = found["BootOrder"].data if "BootOrder" in found else b""
    return [int.from_bytes(value[at : at + 2], "little") for at in range(0, len(value), 2)]


def boot_by_itself(media: Media) -> Boot:
    """From power-on to what the firmware starts without being told an option."""
    media.start()
    media.make_options()
    return boot(media.board)


# the default file


@pytest.mark.parametrize(
    "bus", on("virtio", "nvme", "stick", "usb disk", "sd", quick=("virtio", "stick"))
)
def test_the_default_file_starts_from(media, medium_of, firmware, bus):
    orders = Orders()
    media.insert(medium_of(orders), bus)
    tried = boot_by_itself(media)
    assert (tried.nonces(), tried.status) == ([orders.nonce], 0)
    facts = tried.facts
    assert facts.options == b""  # the mark of the firmware's own option is not for the image
    assert facts.file == file_path("\\" + machine_of(firmware).boot_path.replace("/", "\\")) + END
    made = options(media.variables())[facts.boot_current]
    first, *_ = parse_path(made.path)
    assert first in parse_path(facts.device)


@pytest.mark.parametrize("bus", on("virtio", "nvme", "stick", "sd", quick=("stick",)))
def test_another_processors_default_file_does_not_start_from(media, medium_of, firmware, bus):
    orders = Orders()
    media.insert(medium_of(orders, path=other_machine(machine_of(firmware)).boot_path), bus)
    tried = boot_by_itself(media)
    assert tried.runs == ()
    assert tried.status not in (0, None)
    assert media.board.uboot.check("echo still here") == "still here"


@pytest.mark.needs("ISO_PARTITION")
@pytest.mark.parametrize("bus", [*on("virtio", "stick"), CD])
def test_a_cd_starts_from(media, medium_of, bus):
    orders = Orders()
    media.insert(medium_of(orders, table="iso", files={"README.TXT": b"beside it"}), bus)
    tried = boot_by_itself(media)
    assert (tried.nonces(), tried.status) == ([orders.nonce], 0)


@pytest.mark.needs("ISO_PARTITION")
@pytest.mark.slow
@pytest.mark.parametrize("damage", ["no-boot-file", "wrong-architecture", "empty-boot-file"])
def test_a_damaged_cd_does_not_start(media, medium_of, damage):
    media.insert(medium_of(Orders(), table="iso", damage=(damage,)), "virtio")
    tried = boot_by_itself(media)
    assert tried.runs == ()
    assert tried.status not in (0, None)
    assert media.board.uboot.check("echo still here") == "still here"


@pytest.mark.slow
@pytest.mark.needs("DOS_PARTITION")
@pytest.mark.parametrize("kind", ["esp", "basic-data"])
def test_a_disk_with_an_mbr_starts(media, medium_of, kind):
    orders = Orders()
    image = medium_of(orders, table="mbr")
    parts = tuple(replace(part, kind=kind) for part in image.partitions)
    media.insert(replace(image, partitions=parts), "virtio")
    assert boot_by_itself(media).nonces() == [orders.nonce]


@pytest.mark.slow
def test_the_default_file_may_be_in_the_second_partition(media, medium_of):
    orders = Orders()
    image = medium_of(orders)
    first = Partition({"README.TXT": b"no boot file here"}, kind="basic-data", size=5 << 20)
    media.insert(replace(image, partitions=(first, *image.partitions)), "virtio")
    tried = boot_by_itself(media)
    assert tried.nonces() == [orders.nonce]
    assert str(parse_path(tried.facts.device)[-1]).startswith("HD(2,GPT,")


# which medium comes first


FOUND_FIRST, FOUND_LATER = "usb disk", "virtio"  # fixed media
needs_sd = pytest.mark.needs(*BUSES["usb disk"].needs, *BUSES["sd"].needs)


@needs_sd
def test_removable_media_come_before_fixed_ones(media, firmware, medium_of, stick_of):
    if not firmware.traits.auto_boot_options:
        pytest.skip("this version promises no order of media")
    fixed, removable = Orders(), Orders()
    media.insert(medium_of(fixed), FOUND_FIRST)
    media.insert(stick_of(removable), "sd")
    assert boot_by_itself(media).nonces() == [removable.nonce]
    assert len(order(media.variables())) == 2


@needs_stick
@pytest.mark.slow
def test_of_two_fixed_media_the_one_found_first_starts(media, medium_of, stick_of):
    first, later = Orders(), Orders()
    media.insert(medium_of(first), FOUND_FIRST)
    media.insert(stick_of(later), FOUND_LATER)
    assert boot_by_itself(media).nonces() == [first.nonce]


def boot_a_file_alone(media: Media) -> Boot:
    """Start an option that names a file without its medium (section 3.1.2)."""
    media.start()
    option = LoadOption("file alone", file_path("\\SAME.EFI") + END)
    variables.write(media.board.uboot, "Boot0042", option.pack())
    variables.write(media.board.uboot, "BootOrder", b"\x42\0")
    return boot(media.board)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("buses", "starts"),
    [
        pytest.param((FOUND_FIRST, "sd"), 1, marks=needs_sd),
        pytest.param((FOUND_FIRST, FOUND_LATER), 0, marks=needs_stick),
    ],
)
def test_a_file_alone_is_looked_for_on_removable_media_first(media, stick_of, buses, starts):
    orders = [Orders(), Orders()]
    for each, bus in zip(orders, buses, strict=True):
        media.insert(stick_of(each, path="SAME.EFI"), bus)
    tried = boot_a_file_alone(media)
    assert (tried.nonces(), tried.facts.boot_current) == ([orders[starts].nonce], 0x42)


# broken media


def _damages(*, boots: bool) -> list[object]:
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.slow,
                *([pytest.mark.known_bug("truncated-image-starts")] * (name == "truncated-pe")),
            ],
        )
        for name, each in DAMAGES.items()
        if each.boots == boots
    ]


@needs_stick
@pytest.mark.parametrize("damage", _damages(boots=False))
def test_a_broken_stick_does_not_keep_the_disk_from_starting(media, medium_of, stick_of, damage):
    disk, stick = Orders(), Orders()
    media.insert(stick_of(stick, damage=(damage,)), "stick")
    media.insert(medium_of(disk), "virtio")
    tried = boot_by_itself(media)
    assert (tried.nonces(), tried.status) == ([disk.nonce], 0)


@needs_stick
@pytest.mark.parametrize("damage", _damages(boots=False))
def test_a_broken_stick_alone_starts_nothing(media, stick_of, damage):
    media.insert(stick_of(Orders(), damage=(damage,)), "stick")
    tried = boot_by_itself(media)
    assert tried.runs == ()
    assert tried.status not in (0, None)
    assert media.board.uboot.check("echo still here") == "still here"


@needs_stick
@pytest.mark.parametrize("damage", _damages(boots=True))
def test_a_stick_starts_in_spite_of(media, stick_of, damage):
    orders = Orders()
    media.insert(stick_of(orders, damage=(damage,)), "stick")
    assert boot_by_itself(media).nonces() == [orders.nonce]


# the firmware's own options


USER = LoadOption("mine", file_path("\\NONE.EFI") + END, data=b"of the user")


def add_user_option(media: Media, number: int) -> None:
    """Write an option as a user does, first in the order."""
    found = order(media.variables())
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
def test_options_are_there_for_what_is_there(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    media.insert(stick_of(stick), "stick")
    found = after_a_restart(media)
    made = options(found)
    assert sorted(made) == sorted(order(found))
    assert all(each.attributes == ACTIVE for each in made.values())
    started = [booted(media, number) for number in made]
    assert sorted(started) == sorted([[disk.nonce], [stick.nonce]])


@needs_stick
@pytest.mark.slow
def test_no_options_without_media(media):
    media.start()
    media.make_options()
    found = media.variables()
    assert (options(found), order(found)) == ({}, [])
    assert boot(media.board).status not in (0, None)


@needs_stick
@pytest.mark.slow
def test_options_are_the_same_after_a_restart(media, medium_of, stick_of):
    media.insert(medium_of(Orders()), "virtio")
    media.insert(stick_of(Orders()), "stick")
    before = after_a_restart(media)
    after = after_a_restart(media)
    assert len(options(before)) == 2
    assert options(after) == options(before)
    assert order(after) == order(before)


@needs_stick
def test_the_option_of_a_medium_goes_with_it(media, medium_of, stick_of):
    disk, stick = Orders(), Orders()
    media.insert(medium_of(disk), "virtio")
    inserted = media.insert(stick_of(stick), "stick")
    before = after_a_restart(media)
    add_user_option(media, 0x42)
    with_user = options(media.variables())
    media.remove(inserted)
    after = after_a_restart(media)
    kept = [number for number in order(before) if number in options(after)]
    assert options(after) == {number: with_user[number] for number in (0x42, *kept)}
    assert order(after) == [0x42, *kept]
    assert len(kept) == len(order(before)) - 1
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
    assert order(after)[: len(order(before))] == order(before)
    (new,) = order(after)[len(order(before)) :]
    assert options(after) == {**options(before), new: options(after)[new]}
    assert booted(media, new) == [stick.nonce]


@pytest.mark.slow
def test_a_number_that_the_user_took_is_left_alone(media, medium_of):
    orders = Orders()
    media.insert(medium_of(orders), "virtio")
    (taken,) = options(after_a_restart(media))
    variables.write(media.board.uboot, f"Boot{taken:04X}", USER.pack())
    after = after_a_restart(media)
    made = options(after)
    assert made.pop(taken) == USER
    (number,) = made
    assert order(after) == [taken, number]
    assert booted(media, number) == [orders.nonce]


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
    assert options(after)[0x42] == USER
    assert order(after)[0] == 0x42
    assert len(order(after)) == len(order(before)) + 1
    started = [booted(media, number) for number in order(after)[1:]]
    assert sorted(started) == sorted([[disk.nonce], [stick.nonce]])
