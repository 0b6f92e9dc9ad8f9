"""A capsule that a trusted key signed goes into the flash, and the firmware says so."""

import struct
from datetime import UTC, datetime, timedelta

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.efitime import EfiTime
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CAPSULE_REPORT, FMP_CAPSULE
from ubtest.formats.status import SUCCESS
from ubtest.uefi import variables
from ubtest.uefi.variables import PERSISTENT, READ_ONLY

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.mutates("flash"),
]


SLACK = timedelta(seconds=2)  # the result counts in seconds


def moment(time: EfiTime) -> datetime:
    """The calendar time, which the board's clock gives in UTC."""
    return datetime(
        time.year, time.month, time.day, time.hour, time.minute, time.second, tzinfo=UTC
    )


def assert_written(flash, image: bytes) -> None:
    """The region holds the image, the rest of it is erased, and nothing else changed."""
    region = flash.region
    assert region[: len(image)] == image
    assert region[len(image) :] == b"\xff" * (len(region) - len(image))
    assert flash.changes_outside == []


@pytest.mark.parametrize("path", ["by_command", "at_boot"])
def test_flash_holds_the_payload(update, good, payload, flash, path, results):
    results.keep("good.cap", good.pack())
    update.place({"good.cap": good.pack()})

    outcome = getattr(update, path)()

    assert_written(flash, payload.image)
    assert outcome.files == ()
    assert not outcome.requested
    assert outcome.reset


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


@pytest.mark.parametrize(
    "path",
    [
        "by_command",
        pytest.param("at_boot", marks=pytest.mark.known_bug("boot-time-results-lost")),
    ],
)
def test_result_variables(update, good, path):
    """UEFI 2.10 section 8.5.6: CapsuleLast names CapsuleXXXX, which says what became of it."""
    update.place({"good.cap": good.pack()})
    before = datetime.now(UTC)

    report = getattr(update, path)().report

    assert report is not None
    assert report.name == "Capsule0000"
    assert report.last.attributes == PERSISTENT | READ_ONLY
    assert len(report.last.data) == 22  # without a final zero
    assert report.variable.attributes == PERSISTENT
    assert report.result.total_size == len(report.variable.data)
    assert report.result.guid == FMP_CAPSULE
    assert report.result.status == SUCCESS
    assert before - SLACK <= moment(report.result.processed) <= datetime.now(UTC) + SLACK


def test_results_are_in_the_store_on_the_disk(update, good):
    """What a later boot reads: the variables that the firmware wrote into ubootefi.var."""
    update.place({"good.cap": good.pack()})

    outcome = update.by_command()

    for variable in (outcome.report.last, outcome.report.variable):
        stored = outcome.stored[variable.name]
        assert (stored.guid, stored.data) == (CAPSULE_REPORT, variable.data)
    assert outcome.stored["OsIndications"].data == struct.pack("<Q", 0)


def test_every_file_gets_a_number(update, good):
    """CapsuleXXXX numbers go up from one capsule to the next; CapsuleLast names the last."""
    update.place({"a.cap": good.pack(), "b.cap": good.pack()})

    outcome = update.by_command()

    assert outcome.files == ()
    assert outcome.report.name == "Capsule0001"
    assert {"Capsule0000", "Capsule0001"} <= outcome.stored.keys()


@pytest.mark.known_bug("capsule-max-missing")
def test_capsule_max_is_there(uboot):
    """UEFI 2.10 section 8.5.6: CapsuleMax tells where the numbers wrap."""
    maximum = variables.read(uboot, "CapsuleMax", CAPSULE_REPORT)
    assert maximum is not None
    assert maximum.data.decode("utf-16-le").startswith("Capsule")
