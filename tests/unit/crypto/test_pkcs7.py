"""Signatures; openssl gives the second opinion."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.crypto.keyring import Key, KeyRing
from ubtest.crypto.pkcs7 import sign, signed
from ubtest.errors import HostError
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import ESP_TYPE
from ubtest.run import run

# Line ends of all kinds: a signature in text mode would change them.
DATA = b"\x7fELF\r\nline\nline\r\0" + bytes(range(256))
TOOLS = (
    ["openssl", "smime", "-verify", "-binary"],
    ["openssl", "cms", "-verify", "-binary"],
)


def verify(folder: Path, tool: list[str], key: Key, signature: bytes, data: bytes) -> bytes:
    (folder / "data").write_bytes(data)
    (folder / "signature").write_bytes(signature)
    return run(
        [
            *tool,
            *("-inform", "DER", "-in", folder / "signature", "-content", folder / "data"),
            *("-CAfile", key.certificate_path, "-purpose", "any"),
        ]
    ).stdout


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool[1])
def test_openssl_accepts_a_good_signature(tool: list[str], ring: KeyRing, tmp_path: Path) -> None:
    key = ring["trusted"]
    assert verify(tmp_path, tool, key, sign(key, DATA), DATA) == DATA


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool[1])
def test_openssl_refuses_other_data_and_other_keys(
    tool: list[str], ring: KeyRing, tmp_path: Path
) -> None:
    signature = sign(ring["trusted"], DATA)
    with pytest.raises(HostError):
        verify(tmp_path, tool, ring["trusted"], signature, DATA + b"!")
    with pytest.raises(HostError):
        verify(tmp_path, tool, ring["untrusted"], signature, DATA)


def test_the_signed_attributes_are_those_of_mkeficapsule(ring: KeyRing, tmp_path: Path) -> None:
    (tmp_path / "signature").write_bytes(sign(ring["trusted"], DATA))
    shown = run(
        [
            *("openssl", "cms", "-cmsout", "-print", "-noout"),
            *("-inform", "DER", "-in", tmp_path / "signature"),
        ]
    ).text
    attributes = shown.partition("signedAttrs:")[2].partition("signatureAlgorithm:")[0]
    objects = [line.split()[1] for line in attributes.splitlines() if "object:" in line]
    assert sorted(objects) == ["contentType", "messageDigest", "signingTime"]
    assert "eContent: <ABSENT>" in shown
    assert "algorithm: sha256 (2.16.840.1.101.3.4.2.1)" in shown


def test_a_signed_payload_carries_a_signature_over_its_signed_data(
    ring: KeyRing, tmp_path: Path
) -> None:
    payload = signed(ring["trusted"], FmpPayload(ESP_TYPE, DATA, fw_version=3, monotonic_count=9))
    assert payload.signature is not None
    verify(tmp_path, TOOLS[0], ring["trusted"], payload.signature, payload.signed_data())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100), count=st.integers(0, 2**64 - 1))
def test_a_signed_payload_comes_back_from_its_bytes(ring: KeyRing, data: bytes, count: int) -> None:
    payload = signed(
        ring["trusted"], FmpPayload(ESP_TYPE, data, monotonic_count=count, fw_version=1)
    )
    assert FmpPayload.parse(payload.pack()) == payload
