"""A capsule that a trusted key signed goes into the flash, and the firmware says so."""

import struct
from datetime import UTC, datetime, timedelta

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CAPSULE_REPORT, FMP_CAPSULE
from ubtest.formats.status import SUCCESS
from ubtest.uefi import variables
from ubtest.uefi.variables import PERSISTENT, READ_ONLY

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.mutates("flash"),
]


@pytest.fixture(params=["by_command", "at_boot"])
def path(request):
    """The two ways from disk: the user's command, and the firmware by itself at boot."""
    return request.param


def assert_written(flash, image: bytes) -> None:
    """The region holds the image, the rest of it is erased, and nothing else changed."""
    region = flash.region
    assert region[: len(image)] == image
    assert region[len(image) :] == b"\xff" * (len(region) - len(image))
    assert flash.changes_outside == []


def test_flash_holds_the_payload(update, good, payload, flash, path, results):
    results.keep("good.cap", good.pack())
    update.place({"good.cap": good.pack()})

    outcome = getattr(update, path)()

    assert outcome.status == SUCCESS
    assert outcome.reset
    assert outcome.files == ()
    assert not outcome.requested
    assert_written(flash, payload.image)


@pytest.mark.parametrize("signer", ["trusted-second", "rsa4096"])
def test_every_trusted_signer_is_accepted(update, payload, keyring, flash, signer):
    update.place({"good.cap": Capsule((signed(keyring[signer], payload),)).pack()})

    outcome = update.by_command()

    assert outcome.status == SUCCESS
    assert_written(flash, payload.image)


def test_the_smallest_image_is_accepted(update, board, keyring, flash):
    one_byte = signed(keyring["trusted"], FmpPayload(board.image.image_type, b"\x5a"))
    update.place({"good.cap": Capsule((one_byte,)).pack()})

    outcome = update.by_command()

    assert outcome.status == SUCCESS
    assert_written(flash, b"\x5a")


def test_result_variables(update, good):
    """UEFI 2.10 section 8.5.6: CapsuleLast names CapsuleXXXX, which says what became of it."""
    update.place({"good.cap": good.pack()})
    before = datetime.now(UTC)

    report = update.by_command().report

    assert report.name == "Capsule0000"
    assert report.last.attributes == PERSISTENT | READ_ONLY
    assert len(report.last.data) == 22  # without a final zero
    assert report.variable.attributes == PERSISTENT
    assert report.result.total_size == len(report.variable.data)
    assert report.result.guid == FMP_CAPSULE
    said = report.result.processed
    clock = datetime(
        said.year, said.month, said.day, said.hour, said.minute, said.second, tzinfo=UTC
    )
    assert before - timedelta(seconds=2) <= clock <= datetime.now(UTC) + timedelta(seconds=2)


def test_results_are_in_the_store_on_the_disk(update, good):
    """What a later boot reads: the variables that the firmware wrote into ubootefi.var."""
    update.place({"good.cap": good.pack()})

    outcome = update.by_command()

    for variable in (outcome.report.last, outcome.report.variable):
        stored = outcome.stored[variable.name]
        assert (stored.guid, stored.data) == (CAPSULE_REPORT, variable.data)
    assert outcome.stored["OsIndications"].data == struct.pack("<Q", 0)


def test_the_next_update_counts_on(update, board, good):
    """CapsuleXXXX numbers go up from one update to the next."""
    update.place({"a.cap": good.pack(), "b.cap": good.pack()})
    first = update.by_command()
    assert first.report.name == "Capsule0001"
    assert "Capsule0000" in first.stored


def test_capsule_max_is_there(uboot):
    """UEFI 2.10 section 8.5.6: CapsuleMax tells where the numbers wrap."""
    maximum = variables.read(uboot, "CapsuleMax", CAPSULE_REPORT)
    assert maximum is not None
    assert maximum.data.decode("utf-16-le").startswith("Capsule")
