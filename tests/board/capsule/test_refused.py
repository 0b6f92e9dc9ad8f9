"""A capsule that no trusted key signed leaves the flash as it was, byte for byte."""

from dataclasses import replace

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import FMP_CAPSULE
from ubtest.formats.status import SECURITY_VIOLATION

pytestmark = pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback")


def flip(data: bytes, at: int) -> bytes:
    """One bit of one byte turned over."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# what differs from the good payload -> how; `key` signs what is not trusted
BROKEN = {
    "unsigned": lambda good, keys: replace(good, signature=None),
    "untrusted signer": lambda good, keys: signed(keys["untrusted"], good),
    "first byte of the image": lambda good, keys: replace(good, image=flip(good.image, 0)),
    "last byte of the image": lambda good, keys: replace(good, image=flip(good.image, -1 % 8400)),
    "monotonic count": lambda good, keys: replace(good, monotonic_count=good.monotonic_count + 1),
    "signature value": lambda good, keys: replace(
        good, signature=flip(good.signature, len(good.signature) - 1)
    ),
}


@pytest.fixture(params=BROKEN)
def broken(request, payload: FmpPayload, keyring) -> Capsule:
    """A capsule with one thing wrong."""
    return Capsule((BROKEN[request.param](payload, keyring),))


def assert_refused(outcome, flash) -> None:
    """The flash is as it was; the file is gone, or it would be tried again at every boot."""
    assert flash.changes == []
    assert outcome.files == ()
    assert not outcome.requested
    assert outcome.reset


def test_by_command(update, broken, flash, results):
    results.keep("broken.cap", broken.pack())
    update.place({"broken.cap": broken.pack()})

    outcome = update.by_command()

    assert_refused(outcome, flash)
    assert outcome.status == SECURITY_VIOLATION
    assert outcome.report.name == "Capsule0000"
    assert outcome.report.result.guid == FMP_CAPSULE


def test_at_boot(update, broken, flash, results):
    results.keep("broken.cap", broken.pack())
    update.place({"broken.cap": broken.pack()})

    outcome = update.at_boot()

    assert_refused(outcome, flash)


@pytest.mark.known_bug("boot-time-results-lost")
def test_at_boot_the_result_says_so(update, unsigned):
    update.place({"broken.cap": unsigned.pack()})

    outcome = update.at_boot()

    assert outcome.status == SECURITY_VIOLATION
