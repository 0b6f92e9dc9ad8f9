"""U-Boot's own mkeficapsule as the oracle: the same input, the same capsule.

The tool is the one that was built with the firmware under test: Debian's own, of 2023.01, exits
with 0 on the option for the version header and writes nothing.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from ubtest.crypto.keyring import Key, KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.firmware.bundle import find
from ubtest.formats.capsule import Capsule, FmpPayload
from ubtest.formats.guid import Guid
from ubtest.run import run

PAYLOAD = FmpPayload(
    Guid.of("00112233-4455-6677-8899-aabbccddeeff"),
    bytes(range(256)) * 16 + b"\r\n",
    index=3,
    hardware_instance=1,
    monotonic_count=77,
)
PAYLOADS = {"plain": PAYLOAD, "versioned": replace(PAYLOAD, fw_version=0x00020001)}


@pytest.fixture(scope="session")
def mkeficapsule() -> str:
    tool = find("qemu-arm64").mkeficapsule
    assert tool is not None, "the firmware was built without its tools"
    return str(tool)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keyring.yaml").write_text(
        "signer: {algorithm: rsa, bits: 2048, subject: signer, days: 30, "
        "trusted: true, purpose: lab test}\n"
    )
    ring = KeyRing.load(folder)
    ring.make(lambda name: None)
    return ring["signer"]


def made(tool: str, payload: FmpPayload, folder: Path, *more: str | Path) -> bytes:
    """The capsule that mkeficapsule makes of a payload."""
    image, capsule = folder / "image", folder / "capsule"
    image.write_bytes(payload.image)
    version = [] if payload.fw_version is None else ["--fw-version", str(payload.fw_version)]
    identity = ["--guid", str(payload.image_type), "--index", str(payload.index)]
    instance = ["--instance", str(payload.hardware_instance)]
    run([tool, *identity, *instance, *version, *more, image, capsule])
    return capsule.read_bytes()


@pytest.mark.parametrize("name", PAYLOADS)
def test_an_unsigned_capsule_is_byte_identical(
    name: str, mkeficapsule: str, tmp_path: Path
) -> None:
    payload = PAYLOADS[name]
    assert Capsule((payload,)).pack() == made(mkeficapsule, payload, tmp_path)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_signed_capsule_has_the_same_fields_and_either_signature_verifies(
    name: str, mkeficapsule: str, key: Key, tmp_path: Path
) -> None:
    payload = PAYLOADS[name]
    theirs = Capsule.parse(
        made(
            mkeficapsule,
            payload,
            tmp_path,
            *("--monotonic-count", str(payload.monotonic_count)),
            *("--private-key", key.private_key_path, "--certificate", key.certificate_path),
        )
    )
    ours = Capsule((signed(key, payload),))
    assert _unsigned(theirs) == _unsigned(ours) == Capsule((payload,))
    for capsule in (theirs, ours):
        assert _verified(capsule.payloads[0], key, tmp_path) == payload.signed_data()


def _unsigned(capsule: Capsule) -> Capsule:
    """The same capsule without the bytes in which two signatures differ."""
    return replace(
        capsule, payloads=tuple(replace(each, signature=None) for each in capsule.payloads)
    )


def _verified(payload: FmpPayload, key: Key, folder: Path) -> bytes:
    """What the signature of a payload covers, as openssl confirms it."""
    assert payload.signature is not None
    (folder / "signature").write_bytes(payload.signature)
    (folder / "data").write_bytes(payload.signed_data())
    return run(
        [
            *("openssl", "smime", "-verify", "-binary", "-inform", "DER"),
            *("-in", folder / "signature", "-content", folder / "data"),
            *("-CAfile", key.certificate_path, "-purpose", "any"),
        ]
    ).stdout
