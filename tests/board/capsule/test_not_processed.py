"""Without a request, or without a boot device, the firmware leaves capsules alone."""

import pytest

pytestmark = pytest.mark.needs("EFI_CAPSULE_ON_DISK", "flash-readback")


def assert_untouched(outcome, flash) -> None:
    assert flash.changes == []
    assert outcome.report is None  # no CapsuleLast: nothing was ever processed
    assert outcome.files == ("good.cap",)


@pytest.mark.needs("!EFI_IGNORE_OSINDICATIONS")
@pytest.mark.parametrize("path", ["by_command", "at_boot"])
def test_without_os_indications(update, good, flash, path):
    """UEFI 2.10 section 8.5.4: the delivery flag in OsIndications is the request."""
    update.place({"good.cap": good.pack()}, requested=False)

    outcome = getattr(update, path)()

    assert_untouched(outcome, flash)
    assert not outcome.reset


@pytest.mark.parametrize("path", ["by_command", "at_boot"])
def test_without_boot_order(update, good, flash, path):
    """UEFI 2.10 section 8.5.5: capsules are looked for on the boot device only."""
    update.place({"good.cap": good.pack()}, boot_device=False)

    outcome = getattr(update, path)()

    assert_untouched(outcome, flash)
