"""Which disk counts: capsules are taken from the boot device alone (UEFI 2.10 section 8.5.5).

Most have two disks, each with a good capsule of its own: the flash shows whose was taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import ESP_TYPE, Guid
from ubtest.formats.loadopt import ACTIVE, HIDDEN, LoadOption
from ubtest.formats.varstore import Variable
from ubtest.media.disk import Disk, build_disk, esp
from ubtest.uefi import variables
from ubtest.uefi.bootmgr import boot_entry, boot_next, boot_order
from ubtest.uefi.on_disk import esp_files

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # seconds a test, more than half a minute together
]

mutates_flash = pytest.mark.mutates("flash")
on_qemu = pytest.mark.needs("TARGET_QEMU_ARM_64BIT")  # a second disk

BASIC_DATA = Guid.of("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")  # what Windows gives a data partition
IMAGES = {"first": b"from the first disk ", "other": b"from the other disk "}

FIRST, OTHER, ABSENT, MISSING = 1, 2, 3, 4  # Boot#### of the disks, of no disk, and of none
ENTRIES = (
    boot_entry(FIRST, esp()),
    boot_entry(OTHER, esp("other")),
    boot_entry(ABSENT, esp("absent")),
)


def inactive(number: int) -> Variable:
    """The entry of a disk, switched off."""
    disk = {FIRST: esp(), OTHER: esp("other")}[number]
    return boot_entry(number, disk, attributes=HIDDEN)


# what the variables say -> the variables, and whose capsule is taken
TAKEN: Mapping[str, tuple[list[Variable], str]] = {
    "order: first": ([boot_order(FIRST)], "first"),
    "order: other": ([boot_order(OTHER)], "other"),
    "order: first, other": ([boot_order(FIRST, OTHER)], "first"),
    "order: other, first": ([boot_order(OTHER, FIRST)], "other"),
    "order: absent, other, first": ([boot_order(ABSENT, OTHER, FIRST)], "other"),
    "order: missing, other, first": ([boot_order(MISSING, OTHER, FIRST)], "other"),
    "order: inactive first, other": ([inactive(FIRST), boot_order(FIRST, OTHER)], "other"),
    "next: other, order: first": ([boot_next(OTHER), boot_order(FIRST)], "other"),
    "next: other, no order": ([boot_next(OTHER)], "other"),
    "next: absent, order: other": ([boot_next(ABSENT), boot_order(OTHER)], "other"),
    "next: missing, order: other": ([boot_next(MISSING), boot_order(OTHER)], "other"),
}

NOT_TAKEN: Mapping[str, list[Variable]] = {
    "order: absent": [boot_order(ABSENT)],
    "order: missing": [boot_order(MISSING)],
    "order: inactive first": [inactive(FIRST), boot_order(FIRST)],
    "next: absent": [boot_next(ABSENT)],
    "entries without an order": [],
}


@dataclass(frozen=True)
class Disks:
    """Both disks after an update."""

    first: Disk
    other: Disk

    def holding(self) -> set[str]:
        """The disks whose capsule is still there."""
        files = {"first": self.first.listing(), "other": self.other.listing()}
        return {name for name in files if f"EFI/UpdateCapsule/{name}.cap" in files[name]}


@pytest.fixture
def capsules(board, keyring) -> dict[str, bytes]:
    """A good capsule for each disk."""
    kind = board.image.image_type
    return {
        name: Capsule((signed(keyring["trusted"], FmpPayload(kind, image)),)).pack()
        for name, image in IMAGES.items()
    }


@pytest.fixture
def place(update, capsules, tmp_path):
    """Boots with both disks and these variables, which replace entries of the same name."""

    def place(*said: Variable, kind: Guid = ESP_TYPE) -> Disks:
        other = build_disk(
            tmp_path / "other.img",
            esp_files({"other.cap": capsules["other"]}),
            identity="other",
            kind=kind,
        )
        store = {variable.name: variable for variable in (*ENTRIES, *said)}
        update.place(
            {"first.cap": capsules["first"]},
            boot_device=False,
            variables=store.values(),
            beside=[other],
        )
        return Disks(update.disk, other)

    return place


def assert_taken(name: str, disks: Disks, flash) -> None:
    """This disk's capsule was applied and deleted, and the other disk's left alone."""
    assert flash.region.startswith(IMAGES[name])
    assert flash.changes_outside == []
    assert disks.holding() == {"first", "other"} - {name}


def assert_none_taken(outcome, disks: Disks, flash) -> None:
    assert flash.changes == []
    assert disks.holding() == {"first", "other"}
    assert outcome.report is None


@on_qemu
@mutates_flash
@pytest.mark.parametrize("case", TAKEN)
def test_taken_from(case: str, place, update, flash):
    said, name = TAKEN[case]
    disks = place(*said)

    outcome = update.by_command()

    assert outcome.reset
    assert_taken(name, disks, flash)


@on_qemu
@pytest.mark.parametrize("case", NOT_TAKEN)
def test_not_taken(case: str, place, update, flash):
    disks = place(*NOT_TAKEN[case])

    outcome = update.by_command()

    assert_none_taken(outcome, disks, flash)


@on_qemu
@mutates_flash
def test_at_boot_the_next_entry_comes_first(place, update, flash):
    disks = place(boot_next(OTHER), boot_order(FIRST))

    update.at_boot()

    assert_taken("other", disks, flash)


@on_qemu
@mutates_flash
@pytest.mark.known_bug("boot-next-stays")
def test_the_next_entry_is_used_once(place, update, flash):
    """UEFI 2.10 section 8.5.5: BootNext is cleared when capsules were processed."""
    disks = place(boot_next(OTHER), boot_order(FIRST))

    outcome = update.by_command()

    assert_taken("other", disks, flash)
    assert "BootNext" not in outcome.stored


@on_qemu
def test_a_partition_of_another_type_is_not_looked_at(place, update, flash):
    disks = place(boot_order(OTHER), kind=BASIC_DATA)

    outcome = update.by_command()

    assert_none_taken(outcome, disks, flash)


@on_qemu
@mutates_flash
def test_a_partition_of_another_type_is_passed_over(place, update, flash):
    disks = place(boot_order(OTHER, FIRST), kind=BASIC_DATA)

    update.by_command()

    assert_taken("first", disks, flash)


@pytest.mark.needs("EFI_BOOTMGR")
def test_the_firmware_makes_an_entry_for_a_disk(update, board, good):
    """The ground that :func:`test_the_firmwares_own_entry_counts` stands on."""
    update.place({"good.cap": good.pack()}, boot_device=False)

    order = variables.read(board.uboot, "BootOrder")
    assert order is not None
    own = variables.read(board.uboot, f"Boot{int.from_bytes(order.data[:2], 'little'):04X}")
    assert own is not None
    assert LoadOption.parse(own.data).attributes & ACTIVE


@pytest.mark.needs("EFI_BOOTMGR")
@mutates_flash
@pytest.mark.known_bug("own-entry-ignored")
def test_the_firmwares_own_entry_counts(update, good, payload, flash):
    update.place({"good.cap": good.pack()}, boot_device=False)

    outcome = update.by_command()

    assert flash.region.startswith(payload.image)
    assert outcome.files == ()
