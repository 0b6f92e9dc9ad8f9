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


@pytest.mark.parametrize("path", ["by_command", "at_boot"])
def test_flash_is_unchanged(update, broken, flash, path, results):
    results.keep("broken.cap", broken.pack())
    update.place({"broken.cap": broken.pack()})

    outcome = getattr(update, path)()

    assert flash.changes == []
    assert outcome.status == SECURITY_VIOLATION
    assert outcome.report.name == "Capsule0000"
    assert outcome.report.result.guid == FMP_CAPSULE
    assert outcome.files == ()  # a refused file is deleted, too: it would be tried at every boot
    assert not outcome.requested
    assert outcome.reset
