"""The disk that carries capsules: its bus, a full one, and one that cannot be written
(UEFI 2.10 section 8.5.5)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ubtest.formats.capsule import Capsule
from ubtest.formats.gpt import SECTOR
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.status import SECURITY_VIOLATION
from ubtest.formats.varstore import Variable, pack_variables
from ubtest.lab.board import Storage
from ubtest.media.disk import MINIMUM, esp, room
from ubtest.uefi import capsules
from ubtest.uefi.bootmgr import boot_entry, boot_order
from ubtest.uefi.on_disk import esp_files
from ubtest.uefi.variables import PERSISTENT

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # seconds a test, more than half a minute together
]

mutates_flash = pytest.mark.mutates("flash")
on_qemu = pytest.mark.needs("TARGET_QEMU_ARM_64BIT")  # another bus, or a disk that is locked


# its bus


BUSES = {
    "usb": Storage("usb", "usb 0:1", "usb start"),
    "nvme": Storage("nvme", "nvme 0:1", "nvme scan"),
    "sd": Storage("sd", "mmc 0:1", "mmc list && mmc rescan"),  # the list looks at PCI
}
NEEDS = {
    "usb": ("USB_XHCI_PCI", "USB_STORAGE"),
    "nvme": ("NVME_PCI", "CMD_NVME"),
    "sd": ("MMC_PCI", "CMD_MMC"),
}
buses = [pytest.param(bus, marks=pytest.mark.needs(*NEEDS[bus])) for bus in BUSES]


@mutates_flash
@on_qemu
@pytest.mark.parametrize("bus", buses)
@pytest.mark.parametrize("path", ["by_command", "at_boot"])
def test_the_disk_may_be_on(bus: str, path: str, update, good, payload, flash):
    update.storage = BUSES[bus]
    update.place({"good.cap": good.pack()})

    outcome = getattr(update, path)()

    assert flash.region.startswith(payload.image)
    assert flash.changes_outside == []
    assert outcome.files == ()
    assert not outcome.requested
    assert "BootOrder" in outcome.stored


@on_qemu
@pytest.mark.parametrize("bus", buses)
def test_a_bad_capsule_is_refused_on(bus: str, update, unsigned, flash):
    update.storage = BUSES[bus]
    update.place({"broken.cap": unsigned.pack()})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.status == SECURITY_VIOLATION
    assert outcome.files == ()
    assert outcome.report.name in outcome.stored


# a disk without room for results


def filling_clusters(store: Iterable[Variable]) -> list[Variable]:
    """The variables with one more: their file ends with a cluster, so that it can only grow into
    another one. A disk of the smallest size has a sector for a cluster."""
    store = [*store, Variable("Filling", GLOBAL_VARIABLE, PERSISTENT, 0, b"")]
    missing = -len(pack_variables(store)) % SECTOR or SECTOR
    return [*store[:-1], replace(store[-1], data=bytes(missing))]


@pytest.fixture
def place_full(update):
    """Boots from a disk on which no cluster is free; gives the variables in its store.

    They come from a boot with room, so that results are all that has to be stored anew.
    """

    def place_full(capsule: Capsule) -> list[Variable]:
        update.place({}, size=MINIMUM)
        store = filling_clusters(update.by_command().stored.values())
        files = {"the.cap": capsule.pack()}
        filler = bytes(room(esp_files(files, variables=store), size=MINIMUM))
        update.place(
            files, boot_device=False, variables=store, extra={"filler": filler}, size=MINIMUM
        )
        return store

    return place_full


@mutates_flash
def test_on_a_full_disk_a_good_capsule_is_written(place_full, board, update, good, payload, flash):
    place_full(good)

    assert capsules.update_now(board.uboot)

    assert flash.region.startswith(payload.image)
    assert flash.changes_outside == []
    assert "EFI/UpdateCapsule/the.cap" not in update.disk.listing()


def test_on_a_full_disk_a_bad_capsule_is_refused(place_full, board, update, unsigned, flash):
    place_full(unsigned)

    assert capsules.update_now(board.uboot)

    assert flash.changes == []
    assert "EFI/UpdateCapsule/the.cap" not in update.disk.listing()


@pytest.mark.known_bug("full-disk-loses-variables")
def test_on_a_full_disk_the_variables_stay(place_full, update, unsigned):
    """UEFI 2.10 section 8.2: a variable without room is EFI_OUT_OF_RESOURCES; the others stay."""
    store = place_full(unsigned)

    outcome = update.by_command()

    assert {variable.name for variable in store} <= outcome.stored.keys()


# a disk that cannot be written


def request() -> Variable:
    """OsIndications as an operating system leaves it before the reset."""
    value = capsules.FILE_CAPSULE_DELIVERY.to_bytes(8, "little")
    return Variable("OsIndications", GLOBAL_VARIABLE, PERSISTENT, 0, value)


@pytest.fixture
def place_read_only(update):
    """Boots from a disk that refuses writes; the request is in its variable store."""

    def place_read_only(capsule: Capsule) -> str:
        update.place(
            {"the.cap": capsule.pack()},
            boot_device=False,
            requested=False,
            variables=[boot_entry(1, esp()), boot_order(1), request()],
            read_only=True,
        )
        return update.disk.sha256()

    return place_read_only


@mutates_flash
@on_qemu
def test_a_read_only_disk_is_updated_from_at_every_boot(
    place_read_only, board, update, good, payload, flash
):
    """Neither the request nor the file can be taken back: that is for whoever wrote them."""
    before = place_read_only(good)

    for _ in range(2):
        assert capsules.start_efi(board.uboot)
        assert flash.region.startswith(payload.image)
        assert flash.changes_outside == []
        update.find_disk()
    assert update.disk.sha256() == before


@on_qemu
def test_a_bad_capsule_on_a_read_only_disk_is_refused(
    place_read_only, board, update, unsigned, flash
):
    before = place_read_only(unsigned)

    assert capsules.start_efi(board.uboot)

    assert flash.changes == []
    assert update.disk.sha256() == before
