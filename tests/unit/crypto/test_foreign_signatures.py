"""Signatures that others made: openssl's, chains, and what U-Boot's parser does not know."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.verdict import Answer, Verdict, judge
from ubtest.formats import status
from ubtest.formats.acceptance import Target
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import ESP_TYPE
from ubtest.formats.pkcs7 import SignedData
from ubtest.run import run

PAYLOAD = FmpPayload(ESP_TYPE, b"firmware\r\n" * 20, fw_version=7)
TARGET = Target((ESP_TYPE, 1), 3)


class Signers:
    """openssl's own signatures over :data:`PAYLOAD`, with certificates of one small hierarchy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = self.make("root", None)
        self.leaf = self.make("leaf", "root")
        self.expired = self.make("expired", "root", age=400)

    def make(
        self,
        name: str,
        issuer: str | None,
        *,
        age: int = 1,
        bits: int = 2048,
        key_of: str | None = None,
        forged: bool = False,
    ) -> Any:
        """A certificate of 365 days that started `age` days ago.

        :param key_of: it is for the key of that one.
        :param forged: it names its issuer, who did not sign it.
        """
        key = self._key(key_of) if key_of else rsa.generate_private_key(65537, bits)
        above = key if issuer is None else self._key(issuer)
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=365))
            .add_extension(identifier, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
            .sign(key if forged else above, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(pem))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return certificate

    def _key(self, name: str) -> Any:
        raw = (self.folder / f"{name}.key").read_bytes()
        return serialization.load_pem_private_key(raw, password=None)

    def sign(self, name: str, *options: str | Path) -> Capsule:
        """The payload with `openssl cms -sign` of it."""
        (self.folder / "data").write_bytes(PAYLOAD.signed_data())
        signature = run(
            [
                *("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap"),
                *("-in", self.folder / "data", "-inkey", self.folder / f"{name}.key"),
                *("-signer", self.folder / f"{name}.crt", *options),
            ]
        ).stdout
        return Capsule((replace(PAYLOAD, signature=signature),))


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    return Signers(tmp_path_factory.mktemp("signers"))


def verdict_of(capsule: Capsule, *trusted: x509.Certificate) -> Verdict:
    return judge(capsule.pack(), trusted, TARGET)


def test_a_signature_of_openssl_is_accepted(signers: Signers) -> None:
    assert verdict_of(signers.sign("leaf"), signers.leaf).answer is Answer.ACCEPTED
    assert verdict_of(signers.sign("leaf", "-noattr"), signers.leaf).answer is Answer.ACCEPTED


def test_a_chain_is_followed_to_a_trusted_root(signers: Signers) -> None:
    chain = ("-certfile", signers.folder / "root.crt")
    assert verdict_of(signers.sign("leaf", *chain), signers.root).answer is Answer.ACCEPTED
    assert verdict_of(signers.sign("leaf"), signers.root).answer is Answer.ACCEPTED


def test_the_end_of_the_chain_counts_and_not_the_signer(signers: Signers) -> None:
    # openssl would be content with any trusted certificate on the way
    capsule = signers.sign("leaf", "-certfile", signers.folder / "root.crt")
    verdict = verdict_of(capsule, signers.leaf)
    assert verdict.why.startswith("signed by 'CN=root', which leads to none")


def test_a_certificate_that_only_says_who_issued_it(signers: Signers) -> None:
    signers.make("forged", "root", forged=True)
    chain = ("-certfile", signers.folder / "root.crt")
    verdict = verdict_of(signers.sign("forged", *chain), signers.root)
    assert verdict.why == "a certificate was not signed by the one that it names"
    assert verdict_of(signers.sign("forged"), signers.root).answer is Answer.REFUSED


def test_a_renewed_certificate_of_a_trusted_key_is_another_one(signers: Signers) -> None:
    signers.make("renewed", None, key_of="root")
    verdict = verdict_of(signers.sign("renewed"), signers.root)
    assert verdict.why.startswith("signed by 'CN=renewed', which leads to none")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-md", "sha384"), "U-Boot hashes detached data with SHA-256 only, this is sha384"),
        (("-md", "sha1"), "U-Boot hashes detached data with SHA-256 only, this is sha1"),
        (("-md", "sha512", "-noattr"), "U-Boot hashes detached data with SHA-256 only"),
        (("-md", "sha224"), "U-Boot does not verify SHA-224"),
        (("-keyopt", "rsa_padding_mode:pss"), "its signature algorithm is not plain RSA"),
        (("-nocerts",), "the signer's certificate is not in the signature"),
    ],
)
def test_what_u_boot_does_not_know_is_refused(
    options: tuple[str, ...], why: str, signers: Signers
) -> None:
    verdict = verdict_of(signers.sign("leaf", *options), signers.leaf)
    assert (verdict.status, verdict.rule) == (status.SECURITY_VIOLATION, "signature")
    assert verdict.why.startswith(why)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-nodetach",), "the signature holds content of its own"),
        (("-keyid",), "U-Boot's two parsers differ (CONFIG_MBEDTLS_LIB_X509): it is CMS"),
    ],
)
def test_what_depends_on_the_firmware_is_no_ground_for_a_verdict(
    options: tuple[str, ...], why: str, signers: Signers
) -> None:
    verdict = verdict_of(signers.sign("leaf", *options), signers.leaf)
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.why.startswith(why)


def test_bytes_behind_the_signature_are_no_ground_for_a_verdict(signers: Signers) -> None:
    (payload,) = signers.sign("leaf").payloads
    longer = replace(payload, signature=(payload.signature or b"") + bytes(2))
    assert "bytes follow it" in verdict_of(Capsule((longer,)), signers.leaf).why


def test_signed_when_the_certificate_was_no_longer_valid(signers: Signers) -> None:
    verdict = verdict_of(signers.sign("expired"), signers.expired)
    assert verdict.why == "signingTime is not within the validity of the signer's certificate"
    # Without a time nothing is compared: the firmware has no clock
    assert verdict_of(signers.sign("expired", "-noattr"), signers.expired).answer is Answer.ACCEPTED


def test_a_short_key_is_refused(signers: Signers) -> None:
    short = signers.make("short", None, bits=1024)
    assert verdict_of(signers.sign("short"), short).why == (
        "the key is not RSA with 2048, 3072, 4096 bits"
    )


def test_a_bare_signed_data_is_taken_as_edk2_writes_it(signers: Signers) -> None:
    capsule = signers.sign("leaf")
    signature = capsule.payloads[0].signature
    assert signature is not None
    bare = signature[SignedData.parse(signature).at :]
    stripped = Capsule((replace(capsule.payloads[0], signature=bare),))
    assert verdict_of(stripped, signers.leaf).answer is Answer.ACCEPTED


def test_the_builder_of_cryptography_with_certificates_on_top_is_accepted(
    signers: Signers, ring: KeyRing
) -> None:
    key = ring["trusted"]
    signature = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(PAYLOAD.signed_data())
        .add_signer(key.certificate, key.private_key, hashes.SHA256())
        .add_certificate(signers.root)
        .sign(
            serialization.Encoding.DER,
            [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
        )
    )
    capsule = Capsule((replace(PAYLOAD, signature=signature),))
    assert verdict_of(capsule, key.certificate).answer is Answer.ACCEPTED
