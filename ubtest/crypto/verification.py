"""Whether a signature is one that U-Boot takes, by its own rules: `efi_signature_verify` and
`pkcs7_verify_one` of 2025.01 (lib/efi_loader/efi_signature.c, lib/crypto/pkcs7_verify.c)."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ubtest.crypto.signature_facts import (
    BAD_CERTIFICATE,
    find_signer,
    key_identifier,
    load_certificate,
    signing_time,
)
from ubtest.crypto.signature_form import (
    MBEDTLS,
    SIGNED_DATA_OID,
    parsers_differ,
    unreadable,
)
from ubtest.formats.der import IndefiniteLength
from ubtest.formats.pkcs7 import (
    MESSAGE_DIGEST,
    NAMES,
    SIGNING_TIME,
    SignedData,
    SignerInfo,
)
from ubtest.formats.record import Bytes, FormatError

CHUNK = 1 << 20
_RSA_BITS = (2048, 3072, 4096)
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "1.3.14.3.2.26": hashes.SHA1(),
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}


class Undecided(Exception):
    """What the firmware does with it cannot be told from the file; the message says why."""


@dataclass(frozen=True)
class Signed:
    """A signature and what it is over.

    :param content: gives the image and the monotonic count, in chunks, as often as it is called.
    :param trusted: the certificates in the firmware.
    """

    signature: bytes
    content: Callable[[], Iterable[bytes]]
    trusted: Sequence[x509.Certificate]


def reason_to_refuse(signed: Signed) -> str | None:
    """Why U-Boot refuses a signature; None when it takes it.

    :raises Undecided: it cannot be told.
    """
    try:
        data = SignedData.parse(signed.signature)
    except IndefiniteLength as error:
        raise Undecided(f"the signature is BER, not DER: {error}") from error
    except FormatError as error:
        return f"not PKCS#7 SignedData ({MBEDTLS} can crash on that): {error}"
    if reason := unreadable(data, signed.signature):
        return reason
    if difference := parsers_differ(data, len(signed.signature)):
        raise Undecided(difference)
    certificates = [each for _, der in data.certificates if (each := load_certificate(der))]
    if len(certificates) < len(data.certificates):
        raise Undecided("a certificate in the signature cannot be read here; U-Boot is less strict")
    digest = hashlib.sha256()
    for chunk in signed.content():
        digest.update(chunk)
    reasons = []
    for signer in data.signers:
        judged = _Signer(signer, digest.digest(), certificates, signed.trusted)
        reason, final = judged.reason()
        if reason is None:
            return None
        reasons.append(reason)
        if final:
            break
    return "; ".join(reasons)


class _Signer:
    """One signer held against the data and the trusted certificates.

    :param digest: SHA-256 of the data; U-Boot makes no other of detached data.
    """

    def __init__(
        self,
        signer: SignerInfo,
        digest: bytes,
        certificates: Sequence[x509.Certificate],
        trusted: Sequence[x509.Certificate],
    ) -> None:
        self.signer = signer
        self.digest = digest
        self.certificates = certificates
        self.trusted = trusted
        self.certificate = find_signer(signer, certificates)

    def reason(self) -> tuple[str | None, bool]:
        """Why this signer does not count, and whether U-Boot stops asking the next one."""
        for check, final in (
            (self._unsupported_digest, False),
            (self._other_data, True),
            (self._no_certificate, True),
            (self._out_of_time, True),
            (self._unsupported_key, False),
            (self._bad_signature, True),
            (self._broken_chain, True),
            (self._not_trusted, False),
        ):
            if reason := check():
                return reason, final
        return None, True

    def _unsupported_digest(self) -> str | None:
        known = self.signer.digest in _DIGESTS
        return None if known else f"U-Boot does not verify {NAMES[self.signer.digest]}"

    def _other_data(self) -> str | None:
        attribute = self.signer.attribute(MESSAGE_DIGEST)
        algorithm = _DIGESTS[self.signer.digest]
        if attribute and attribute.value == self.digest:
            return None
        if not isinstance(algorithm, hashes.SHA256):
            return f"U-Boot hashes detached data with SHA-256 only, this is {algorithm.name}"
        if attribute is None:
            return None  # the signature itself is over the data
        return (
            "the image or the count is not what was signed: messageDigest is "
            f"{attribute.value[:32].hex()}, their SHA-256 is {self.digest.hex()}"
        )

    def _no_certificate(self) -> str | None:
        return None if self.certificate else "the signer's certificate is not in the signature"

    def _out_of_time(self) -> str | None:
        attribute = self.signer.attribute(SIGNING_TIME)
        if attribute is None:
            return None
        time = signing_time(attribute)
        there = self._certificate
        if time and there.not_valid_before_utc <= time <= there.not_valid_after_utc:
            return None
        return "signingTime is not within the validity of the signer's certificate"

    def _unsupported_key(self) -> str | None:
        good = isinstance(self._certificate.public_key(), rsa.RSAPublicKey)
        if good and 8 * len(self.signer.signature) in _RSA_BITS:
            return None
        return f"the key is not RSA with {', '.join(map(str, _RSA_BITS))} bits"

    def _bad_signature(self) -> str | None:
        signer, key = self.signer, self._certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)  # _unsupported_key
        try:
            if signer.attributes:
                algorithm = _DIGESTS[signer.digest]
                key.verify(signer.signature, signer.signed_bytes, padding.PKCS1v15(), algorithm)
            else:
                hashed = Prehashed(hashes.SHA256())
                key.verify(signer.signature, self.digest, padding.PKCS1v15(), hashed)
        except (InvalidSignature, *BAD_CERTIFICATE):
            return "the signature value does not fit what is signed, or not the signer's key"
        return None

    def _broken_chain(self) -> str | None:
        good = self._end_of_chain() is not None
        return None if good else "a certificate was not signed by the one that it names"

    def _not_trusted(self) -> str | None:
        end = self._end_of_chain()
        assert end is not None  # _broken_chain
        if any(end.tbs_certificate_bytes == each.tbs_certificate_bytes for each in self.trusted):
            return None
        if not _verifies(end, end) and any(_verifies(each, end) for each in self.trusted):
            return None
        name = end.subject.rfc4514_string()
        return f"signed by {name!r}, which leads to none of the trusted certificates"

    @property
    def _certificate(self) -> x509.Certificate:
        assert self.certificate is not None  # _no_certificate
        return self.certificate

    def _end_of_chain(self) -> x509.Certificate | None:
        """The last certificate on the way up through those in the signature; None: a bad link."""
        certificate, seen = self._certificate, list[x509.Certificate]()
        while certificate not in seen:
            seen.append(certificate)
            above = self._issuer(certificate)
            if above is None or above == certificate:
                break
            if not _verifies(above, certificate):
                return None
            certificate = above
        return certificate

    def _issuer(self, certificate: x509.Certificate) -> x509.Certificate | None:
        try:
            identifier = certificate.extensions.get_extension_for_class(
                x509.AuthorityKeyIdentifier
            ).value.key_identifier
        except (x509.ExtensionNotFound, x509.DuplicateExtension, *BAD_CERTIFICATE):
            return None
        for other in self.certificates:
            if identifier and key_identifier(other) == identifier:
                return other
        return None


def _verifies(above: x509.Certificate, below: x509.Certificate) -> bool:
    """Whether one certificate's key signed the other; names do not count for U-Boot."""
    key, algorithm = above.public_key(), below.signature_hash_algorithm
    if not isinstance(key, rsa.RSAPublicKey) or algorithm is None:
        return False
    try:
        key.verify(below.signature, below.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, *BAD_CERTIFICATE):
        return False
    return True


def wrapped(signature: bytes) -> bytes:
    """A signature in the ContentInfo that other tools want, where it has none (EDK2's)."""
    if SignedData.parse(signature).wrapped:
        return signature
    inner = _der(0xA0, signature)
    return _der(0x30, SIGNED_DATA_OID + inner)


def _der(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value


def chunks(data: Bytes, start: int, end: int) -> Iterator[bytes]:
    """A part of a file, a little at a time."""
    for at in range(start, end, CHUNK):
        yield data[at : min(at + CHUNK, end)]
