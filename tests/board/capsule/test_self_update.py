"""The running U-Boot is replaced by another build, and the other build answers."""

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.needs("SYS_FLASH_CFI"),  # U-Boot runs from the flash that it updates
    pytest.mark.slow,  # 1.2 MB go into the flash word by word
]

WRITING = 600  # seconds for that on a busy machine


@pytest.fixture
def old(board, variant):
    """A firmware that updates itself: image 1 is the running U-Boot."""
    board.machine.bundle = variant("self-update")
    board.machine.renew()
    return board.machine.bundle


@pytest.fixture
def new(variant):
    """The same firmware under another version string."""
    return variant("self-update-next")


@pytest.mark.mutates("flash")
def test_another_build_answers_after_the_update(old, new, board, keyring, update):
    image = new.binary.read_bytes()
    payload = signed(keyring["trusted"], FmpPayload(board.image.image_type, image))
    update.place({"u-boot.cap": Capsule((payload,)).pack()})
    assert board.uboot.check("version").splitlines()[0] == old.banner

    outcome = update.at_boot(timeout=WRITING)

    assert outcome.status == SUCCESS
    assert board.uboot.check("version").splitlines()[0] == new.banner != old.banner
    assert board.machine.flash()[: len(image)] == image


def test_an_untrusted_build_leaves_the_old_one_running(old, new, board, keyring, update):
    before = board.machine.flash()
    payload = signed(
        keyring["untrusted"], FmpPayload(board.image.image_type, new.binary.read_bytes())
    )
    update.place({"u-boot.cap": Capsule((payload,)).pack()})

    outcome = update.at_boot(timeout=WRITING)

    assert outcome.status == SECURITY_VIOLATION
    assert board.uboot.check("version").splitlines()[0] == old.banner
    assert board.machine.flash() == before
