"""The key ring: made once, whole, private, and held against its declaration."""

import hashlib
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError, HostError
from ubtest.formats.siglist import parse_database
from ubtest.run import run


def made(folder: Path) -> list[str]:
    names: list[str] = []
    KeyRing.load(folder).make(names.append)
    return names


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_private(ring: KeyRing) -> None:
    assert mode(ring.generated) == 0o700
    assert mode(ring["trusted"].private_key_path) == 0o600
    assert {path.suffix for path in ring.generated.iterdir()} == {"", ".key", ".crt"}


def test_a_second_run_makes_nothing(ring: KeyRing) -> None:
    assert made(ring.folder) == []


def test_only_what_is_missing_is_made(ring: KeyRing, ring_folder: Path) -> None:
    (ring_folder / "generated" / "untrusted.key").unlink()
    (ring_folder / "generated" / "trusted.crt").unlink()
    assert made(ring_folder) == ["trusted", "untrusted"]
    fresh = KeyRing.load(ring_folder)
    assert fresh["trusted"].private_key.public_key() == ring["trusted"].private_key.public_key()
    assert fresh["untrusted"].fingerprint != ring["untrusted"].fingerprint


def test_openssl_reads_key_and_certificate(ring: KeyRing) -> None:
    key = ring["trusted"]
    shown = run(["openssl", "x509", "-in", key.certificate_path, "-noout", "-text"]).text
    assert "Subject: CN = trusted\n" in shown
    assert "Public-Key: (2048 bit)" in shown
    assert "CA:TRUE" in shown
    assert "ok" in run(["openssl", "rsa", "-in", key.private_key_path, "-check", "-noout"]).text
    fingerprint = run(
        ["openssl", "x509", "-in", key.certificate_path, "-noout", "-fingerprint", "-sha256"]
    ).text
    assert fingerprint.partition("=")[2].strip().replace(":", "").lower() == key.fingerprint
    assert hashlib.sha256(key.der).hexdigest() == key.fingerprint


def test_the_trusted_certificates_are_one_database(ring: KeyRing) -> None:
    certificates = [each.signatures[0].data for each in parse_database(ring.trusted_esl())]
    assert certificates == [ring["trusted"].der, ring["trusted-second"].der]


def test_an_unknown_name_lists_the_known_ones(ring: KeyRing) -> None:
    with pytest.raises(CaseError) as caught:
        ring["trustee"]
    assert "'trustee'" in str(caught.value)
    assert "trusted, trusted-second, untrusted" in caught.value.next_step


@pytest.mark.parametrize("suffix", ["key", "crt"])
def test_a_missing_file_says_how_to_make_it(suffix: str, ring_folder: Path) -> None:
    (ring_folder / "generated" / f"trusted.{suffix}").unlink()
    with pytest.raises(HostError, match=rf"trusted\.{suffix} is missing") as caught:
        _ = KeyRing.load(ring_folder)["trusted"].der
    assert caught.value.next_step == "run `ubtest keys make`"


def test_a_certificate_of_another_key_names_both_files(ring_folder: Path) -> None:
    generated = ring_folder / "generated"
    (generated / "untrusted.crt").replace(generated / "trusted.crt")
    with pytest.raises(HostError) as caught:
        _ = KeyRing.load(ring_folder)["trusted"].der
    assert f"{generated / 'trusted.crt'} does not belong to {generated / 'trusted.key'}" in str(
        caught.value
    )
    assert "delete" in caught.value.next_step


def test_a_key_of_another_size_than_declared_is_refused(ring_folder: Path) -> None:
    declarations = ring_folder / "keyring.yaml"
    declarations.write_text(declarations.read_text().replace("2048", "3072"))
    with pytest.raises(HostError, match="3072 bits that is declared"):
        _ = KeyRing.load(ring_folder)["trusted"].private_key


@pytest.mark.parametrize("suffix", ["key", "crt"])
def test_rubbish_is_refused(suffix: str, ring_folder: Path) -> None:
    (ring_folder / "generated" / f"trusted.{suffix}").write_text("rubbish")
    with pytest.raises(HostError, match=rf"trusted\.{suffix} holds no"):
        _ = KeyRing.load(ring_folder)["trusted"].der


def test_ctrl_c_leaves_no_half_key(ring_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generated = ring_folder / "generated"
    (generated / "trusted.key").unlink()

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        made(ring_folder)
    monkeypatch.undo()
    assert not list(generated.glob("trusted.*"))
    assert not list(generated.glob(".trusted*"))
    assert made(ring_folder) == ["trusted"]
    _ = KeyRing.load(ring_folder)["trusted"].der


def test_a_folder_that_cannot_be_made_is_the_hosts_fault(ring_folder: Path) -> None:
    folder = ring_folder.parent / "other"
    folder.mkdir()
    (folder / "keyring.yaml").write_text((ring_folder / "keyring.yaml").read_text())
    (folder / "generated").write_text("a file where the folder should be")
    with pytest.raises(HostError, match="cannot write keys into"):
        made(folder)


def test_two_processes_at_once_make_each_key_once(ring_folder: Path) -> None:
    for path in (ring_folder / "generated").iterdir():
        path.unlink()
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        both = pool.map(made, [ring_folder, ring_folder])
    assert sorted(both[0] + both[1]) == ["trusted", "trusted-second", "untrusted"]
    for key in KeyRing.load(ring_folder):
        _ = key.der
