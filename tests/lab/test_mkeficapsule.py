"""U-Boot's own mkeficapsule as the oracle: the same input, the same capsule.

The tool is the one that was built with the firmware under test: Debian's own, of 2023.01, exits
with 0 on the option for the version header and writes nothing.
"""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from ubtest.cli import main
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


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's handlers of signals are not this run's."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


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


@pytest.fixture(params=["unsigned", "signed"])
def signer(request: pytest.FixtureRequest, key: Key) -> Key | None:
    """Who signs; None: nobody does."""
    return key if request.param == "signed" else None


@pytest.mark.parametrize("name", PAYLOADS)
def test_mkeficapsule_reads_ours(
    name: str, mkeficapsule: str, signer: Key | None, tmp_path: Path
) -> None:
    payload = PAYLOADS[name]
    ours = signed(signer, payload) if signer else payload
    (tmp_path / "ours.cap").write_bytes(Capsule((ours,)).pack())

    dumped = dumped_fields(run([mkeficapsule, "--dump-capsule", tmp_path / "ours.cap"]).text)

    header = "FMP_CAPSULE_IMAGE_HDR."
    assert dumped[f"{header}UPDATE_IMAGE_TYPE_ID"].lower() == str(payload.image_type)
    assert int(dumped[f"{header}UPDATE_IMAGE_INDEX"], 16) == payload.index
    assert int(dumped[f"{header}UPDATE_HARDWARE_INSTANCE"], 16) == payload.hardware_instance
    assert int(dumped["Payload Image Size"], 16) == len(payload.image)
    version = int(dumped.get("FMP_PAYLOAD_HDR.FW_VERSION", "0"), 16)
    assert version == (payload.fw_version or 0)
    if signer:
        count = dumped["EFI_FIRMWARE_IMAGE_AUTH.MONOTONIC_COUNT"]
        assert int(count, 16) == payload.monotonic_count


@pytest.mark.parametrize("name", PAYLOADS)
def test_show_and_verify_read_theirs(
    name: str, mkeficapsule: str, signer: Key | None, key: Key, tmp_path: Path, capsys
) -> None:
    payload = PAYLOADS[name]
    options: list[str | Path] = []
    if signer:
        options += ["--monotonic-count", str(payload.monotonic_count)]
        options += ["--private-key", signer.private_key_path]
        options += ["--certificate", signer.certificate_path]
    made(mkeficapsule, payload, tmp_path, *options)
    theirs = str(tmp_path / "capsule")

    assert main(["capsule", "show", theirs, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    fields = {field["name"]: field["value"] for part in shown["parts"] for field in part["fields"]}
    assert fields["UpdateImageTypeId"] == str(payload.image_type)
    assert fields["image"] == f"{len(payload.image)} bytes"
    assert fields.get("FwVersion") == payload.fw_version
    assert fields.get("MonotonicCount") == (payload.monotonic_count if signer else None)
    assert fields.get("subject") == ("CN=signer" if signer else None)

    trusted = str(key.certificate_path)
    assert main(["capsule", "verify", theirs, "--cert", trusted]) == (0 if signer else 1)


@pytest.mark.parametrize("option", ["--fw-accept", "--fw-revert"])
def test_show_reads_their_accept_and_revert_capsules(
    option: str, mkeficapsule: str, tmp_path: Path, capsys
) -> None:
    identity = ["--guid", str(PAYLOAD.image_type)] if option == "--fw-accept" else []
    run([mkeficapsule, option, *identity, tmp_path / "empty.cap"])
    assert main(["capsule", "show", str(tmp_path / "empty.cap")]) == 0
    said = capsys.readouterr().out
    assert "U-Boot's FWU" in said
    assert (str(PAYLOAD.image_type) in said) == (option == "--fw-accept")


def dumped_fields(text: str) -> dict[str, str]:
    """Name -> value of what `mkeficapsule --dump-capsule` prints."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


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
