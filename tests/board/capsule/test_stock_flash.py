"""An update with the flash driven as the board's own configuration drives it."""

import pytest

from ubtest.formats.status import SUCCESS

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.needs("SYS_FLASH_CFI"),
    pytest.mark.slow,  # wants another build of the firmware
]


@pytest.mark.mutates("flash")
@pytest.mark.known_bug("cfi-width-search")
def test_the_update_writes_its_image_and_nothing_else(board, variant, request, good, payload):
    board.machine.bundle = variant("stock-flash")
    board.machine.renew({board.image.offset: b"old firmware! " * 600})
    flash = request.getfixturevalue("flash")
    update = request.getfixturevalue("update")
    update.place({"good.cap": good.pack()})

    outcome = update.by_command()

    assert flash.region[: len(payload.image)] == payload.image
    assert flash.changes_outside == []
    assert outcome.status == SUCCESS
