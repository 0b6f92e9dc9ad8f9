"""Media without a boot option of their own (UEFI 2.10 section 3.5.1.1): the default file starts,
removable media first."""

from dataclasses import replace

import pytest

from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_text import parse_path
from ubtest.formats.loadopt import LoadOption
from ubtest.media.damage import DAMAGES
from ubtest.media.spec import Partition
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import Boot, boot
from ubtest.uefi.boot_plan import other_machine
from ubtest.uefi.media_bus import BUSES, Media
from ubtest.uefi.planned import options_in, order_of
from ubtest.uefi.storage import partitions

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "CMD_EFICONFIG", "!SANDBOX")


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


def boot_by_itself(media: Media) -> Boot:
    """From power-on to what the firmware starts without being told an option."""
    media.start()
    media.make_options()
    return boot(media.board)


# the default file


@pytest.mark.parametrize("bus", on("virtio", "nvme", "stick", "usb disk", "sd", quick=("stick",)))
def test_the_default_file_starts_from(media, medium_of, machine, bus):
    orders = Orders()
    media.insert(medium_of(orders), bus)
    tried = boot_by_itself(media)
    assert (tried.nonces(), tried.status) == ([orders.nonce], 0)
    facts = tried.facts
    assert facts.options == b""  # the mark of the firmware's own option is not for the image
    assert facts.file == file_path(machine.boot_path_name) + END
    made = options_in(media.variables())
    assert facts.boot_current in made
    assert parse_path(made[facts.boot_current].path)[0] in parse_path(facts.device)


@pytest.mark.parametrize("bus", on("virtio", "nvme", "stick", "sd", quick=("stick",)))
def test_another_processors_default_file_does_not_start_from(media, medium_of, machine, bus):
    orders = Orders()
    media.insert(medium_of(orders, path=other_machine(machine).boot_path), bus)
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
@pytest.mark.needs("DOS_PARTITION")
def test_a_logical_drive_starts(media, medium_of):
    """Nothing says that it must; U-Boot lists and reads such drives (disk/part_dos.c)."""
    orders = Orders()
    image = medium_of(orders, table="mbr")
    first = Partition(kind="linux", fat=None, size=2 << 20)
    (system,) = (replace(part, logical=True) for part in image.partitions)
    media.insert(replace(image, partitions=(first, system)), "virtio")
    tried = boot_by_itself(media)
    assert [(each.number, each.first) for each in partitions(media.board.uboot, "virtio 0")] == [
        (1, 2048),
        (2, 6144),  # the extended one
        (5, 8192),
    ]
    assert tried.nonces() == [orders.nonce]
    assert str(parse_path(tried.facts.device)[-1]).startswith("HD(5,MBR,")


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
    assert len(order_of(media.variables())) == 2


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
    assert tried.nonces() == [orders[starts].nonce]
    assert tried.facts.boot_current == 0x42


# broken media


def _damages(*, boots: bool, **bugs: str) -> list[object]:
    bugs = {"truncated-pe": "truncated-image-starts", **bugs}
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.slow,
                *([pytest.mark.known_bug(bugs[name])] if name in bugs else []),
            ],
        )
        for name, each in DAMAGES.items()
        if each.boots == boots
    ]


@needs_stick
@pytest.mark.parametrize(
    "damage", _damages(boots=False, **{"boot-file-is-folder": "folder-spoils-events"})
)
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
