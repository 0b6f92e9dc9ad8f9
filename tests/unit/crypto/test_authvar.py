"""Signed writes of variables, checked by openssl."""

import pytest

from ubtest.crypto.authvar import signed_write, without_content_info, wrapped_write
from ubtest.formats.authvar import AuthenticatedWrite
from ubtest.formats.efitime import EfiTime
from ubtest.formats.record import FormatError
from ubtest.run import run

WRITE = AuthenticatedWrite("KEK", b"the lists", EfiTime(2026, 11, 24))


def openssl_says(write: AuthenticatedWrite, signature: bytes, key, folder) -> int:
    (folder / "signature").write_bytes(signature)
    (folder / "data").write_bytes(write.signed_data())
    files = ["-in", folder / "signature", "-content", folder / "data", "-out", folder / "out"]
    signer = ["-certfile", key.certificate_path, "-nointern"]
    verify = ["openssl", "smime", "-verify", "-inform", "DER", "-binary", "-noverify"]
    return run([*verify, *files, *signer], check=False).returncode


def test_openssl_accepts_the_signature(ring, tmp_path):
    key = ring["trusted"]
    assert openssl_says(WRITE, wrapped_write(key, WRITE).signature, key, tmp_path) == 0


def test_openssl_refuses_another_name(ring, tmp_path):
    key = ring["trusted"]
    signature = wrapped_write(key, WRITE).signature
    other = AuthenticatedWrite("PK", WRITE.value, WRITE.time)
    assert openssl_says(other, signature, key, tmp_path) != 0


def test_the_specification_wants_signed_data_alone(ring):
    signature = signed_write(ring["trusted"], WRITE).signature
    assert signature[:1] == b"\x30"
    assert b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" not in signature[:32]


def test_what_is_no_signature_has_no_signed_data():
    with pytest.raises(FormatError, match="ContentInfo"):
        without_content_info(b"\x30\x03\x02\x01\x01")
