"""`ubtest preflight` on a board with its own disk, of which nobody takes a copy."""

import pytest
from preflight_desk import GOOD, IMAGE, NAME, NOT_TOLD, REQUEST, named

from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.preflight.checks import judge
from ubtest.preflight.finding import Report, Severity
from ubtest.preflight.gather import gather
from ubtest.uefi.on_disk import OnDiskUpdate

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.mutates("flash"),  # each ends with an update that is taken
]
own_request = pytest.mark.needs("!EFI_IGNORE_OSINDICATIONS")


def live(update: OnDiskUpdate) -> Report:
    return judge(gather(update.board))


@own_request
def test_a_waiting_update_stays(update, good, flash):
    """On the board itself preflight starts nothing: the request and the file are there after it."""
    update.place({NAME: good.pack()}, boot_device=False, requested=False, variables=GOOD.values())
    before = update.disk.sha256()

    report = live(update)

    assert named(report) == []
    not_told = {each.check for each in report.of(Severity.UNKNOWN)} - NOT_TOLD
    assert not_told == {"request supported", "image"}
    assert update.disk.sha256() == before
    assert flash.changes == []
    update.at_boot()
    assert flash.region.startswith(IMAGE)


@own_request
@pytest.mark.slow
def test_a_request_that_is_gone_at_the_reset(update, good, flash):
    update.place({NAME: good.pack()}, requested=False)
    uboot = update.board.uboot
    uboot.check(REQUEST.replace(" -nv", ""))

    report = live(update)

    assert named(report) == ["request"]
    assert "-nv" in report.problems[0].what
    kept = update.disk.path.read_bytes()
    assert update.at_boot().report is None
    assert flash.changes == []
    update.board.off()
    update.disk.path.write_bytes(kept)
    update.board.boot()
    update.find_disk()
    for command in report.problems[0].fix:
        uboot.check(command.removeprefix("=> "))
    assert named(live(update)) == []
    update.at_boot()
    assert flash.region.startswith(IMAGE)


def hide_the_key(uboot: UBootConsoleDriver) -> None:
    """Rename /signature where it is: without the property, all that follows in the tree would
    move, and U-Boot's drivers hold offsets into it."""
    uboot.check("fdt addr ${fdtcontroladdr}")
    uboot.check("fdt get addr place /signature capsule-key")
    place = int(uboot.check("printenv place").removeprefix("place="), 16)
    before = len("signature".ljust(12)) + 3 * 4  # token, length and name of the property
    uboot.check(f"mw.b {place - before:x} {ord('S'):x}")


@own_request
@pytest.mark.slow
def test_no_key_in_the_device_tree(update, good, flash, firmware):
    if firmware.traits.capsule_key != "dtb":
        pytest.skip("the key is inside of this version's binary")
    update.place({NAME: good.pack()})
    uboot = update.board.uboot
    hide_the_key(uboot)

    report = live(update)

    assert named(report) == ["key"]
    assert update.by_command().status == SECURITY_VIOLATION
    assert flash.changes == []
    update.place({NAME: good.pack()})
    assert named(live(update)) == []
    assert update.by_command().status == SUCCESS
