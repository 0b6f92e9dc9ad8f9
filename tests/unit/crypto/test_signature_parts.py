"""The parts of a signature, found by name."""

import pytest

from ubtest.crypto.pkcs7 import sign
from ubtest.crypto.signature_parts import signature_parts
from ubtest.formats.record import FormatError


def test_the_parts_are_where_they_are(ring):
    der = sign(ring["trusted"], b"data")
    parts = signature_parts(der)
    assert (parts["ContentInfo"].at, parts["ContentInfo"].end) == (0, len(der))
    assert der[parts["version"].body : parts["version"].end] == b"\x01"
    assert ring["trusted"].der == der[parts["certificates"].body : parts["certificates"].end]
    assert parts["encryptedDigest"].end - parts["encryptedDigest"].body == 256
    assert parts["encryptedDigest"].end == len(der)


def test_every_truncation_is_an_error(ring):
    der = sign(ring["trusted"], b"data")
    for size in range(0, 200):
        with pytest.raises(FormatError):
            signature_parts(der[:size])
