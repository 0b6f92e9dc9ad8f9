"""What a signature says about itself: signers, certificates, algorithms, signed attributes.

Nothing here is verified; `verification` does that.
"""

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from ubtest.formats.explanation import Field, Finding, Part
from ubtest.formats.pkcs7 import (
    CONTENT_TYPE,
    GENERALIZED_TIME,
    MESSAGE_DIGEST,
    NAMES,
    SIGNING_TIME,
    UTC_TIME,
    Attribute,
    SignedData,
    SignerInfo,
)
from ubtest.formats.record import FormatError

_SHOWN = 16  # of the certificates, signers and attributes; two bytes of DER can claim to be one
# What `cryptography` raises about certificates that somebody made up
BAD_CERTIFICATE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)


def describe(signature: bytes, offset: int) -> tuple[tuple[Part, ...], tuple[Finding, ...]]:
    """The structures of a PKCS#7 signature, and what is wrong with them.

    :param offset: where it starts in its file.
    """
    try:
        data = SignedData.parse(signature)
    except FormatError as error:
        return (), (Finding(offset, "AuthInfo.CertData", f"is not PKCS#7 SignedData: {error}"),)
    findings = []
    if data.end < len(signature):
        text = f"has {len(signature) - data.end} bytes behind the signature"
        findings.append(Finding(offset + data.end, "AuthInfo.CertData", text))
    if data.content:
        text = "is in the signature; a capsule's signature is detached"
        findings.append(Finding(offset + data.at, "SignedData.contentInfo.content", text))
    if not data.signers:
        findings.append(Finding(offset + data.at, "SignedData.signerInfos", "are none"))
    parts = [_signed_data(data, offset)]
    certificates: list[x509.Certificate] = []
    for number, (at, der) in enumerate(data.certificates[:_SHOWN]):
        certificate = load_certificate(der)
        name = f"certificate {number}"
        if certificate is None:
            findings.append(Finding(offset + at, name, "is not an X.509 certificate"))
        else:
            certificates.append(certificate)
            parts.append(Part(name, offset + at, _certificate(certificate, offset + at)))
    for number, signer in enumerate(data.signers[:_SHOWN]):
        found = find_signer(signer, certificates)
        if found is None:
            text = "names a certificate that is not in the signature"
            findings.append(Finding(offset + signer.at, f"signer {number}", text))
        parts.append(
            Part(f"signer {number}", offset + signer.at, _signer(signer, found, offset + signer.at))
        )
    return tuple(parts), tuple(findings)


def load_certificate(der: bytes) -> x509.Certificate | None:
    """A certificate whose names, times and key can be read; None when it is not one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is unusual in it is no news to who looks at it
        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.subject.rfc4514_string()
            certificate.issuer.rfc4514_string()
            certificate.public_key()
        except BAD_CERTIFICATE:
            return None
        return certificate


def find_signer(
    signer: SignerInfo, certificates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    """The certificate that a signer names, by issuer and number or by key identifier."""
    for certificate in certificates:
        if signer.issuer is None:
            if key_identifier(certificate) == signer.key_identifier:
                return certificate
        elif (certificate.issuer.public_bytes(), certificate.serial_number) == (
            signer.issuer,
            signer.serial,
        ):
            return certificate
    return None


def key_identifier(certificate: x509.Certificate) -> bytes | None:
    """The SubjectKeyIdentifier; None when there is none, or it cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value.digest
    except (x509.ExtensionNotFound, x509.DuplicateExtension, *BAD_CERTIFICATE):
        return None


def signing_time(attribute: Attribute) -> datetime | None:
    """The time in a signingTime attribute; None when it is not written as DER wants it."""
    form = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(attribute.tag)
    try:
        text = attribute.value.decode("ascii")
        return datetime.strptime(text, form).replace(tzinfo=UTC) if form else None
    except ValueError:
        return None


def _signed_data(data: SignedData, offset: int) -> Part:
    at = offset + data.at
    digests = ", ".join(NAMES.get(oid, oid) for oid in data.digests)
    content = "in the signature" if data.content else "detached: the image and the count"
    fields = (
        Field(at, "version", data.version),
        Field(at, "digestAlgorithms", digests or "none"),
        Field(at, "contentType", NAMES.get(data.content_type, data.content_type), content),
        Field(at, "certificates", len(data.certificates)),
        Field(at, "signerInfos", len(data.signers)),
    )
    return Part("PKCS#7 SignedData" + ("" if data.wrapped else ", bare"), at, fields)


def _certificate(certificate: x509.Certificate, at: int) -> tuple[Field, ...]:
    subject = certificate.subject.rfc4514_string()
    issuer = certificate.issuer.rfc4514_string()
    key = certificate.public_key()
    size = f"RSA, {key.key_size} bits" if isinstance(key, rsa.RSAPublicKey) else type(key).__name__
    try:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        validity = f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    except BAD_CERTIFICATE:
        validity = "unreadable"
    return (
        Field(at, "subject", subject or "(empty)"),
        Field(at, "issuer", issuer or "(empty)", "itself" if issuer == subject else ""),
        Field(at, "serialNumber", f"{certificate.serial_number:#x}"),
        Field(at, "validity", validity, "U-Boot has no clock to hold it against"),
        Field(at, "publicKey", size),
        Field(at, "SHA-256", certificate.fingerprint(hashes.SHA256()).hex()),
    )


def _signer(signer: SignerInfo, found: x509.Certificate | None, at: int) -> tuple[Field, ...]:
    if found is not None:
        who = found.subject.rfc4514_string() or "(empty)"
    else:
        who = signer.key_identifier.hex() or f"serial number {signer.serial:#x}"
    return (
        Field(at, "sid", who, "says the signature; `verify` finds out"),
        Field(at, "digestAlgorithm", NAMES.get(signer.digest, signer.digest)),
        *(_attribute(each, at - signer.at) for each in signer.attributes[:_SHOWN]),
        Field(at, "signatureAlgorithm", NAMES.get(signer.algorithm, signer.algorithm)),
        Field(at, "signature", f"{len(signer.signature)} bytes"),
    )


def _attribute(attribute: Attribute, offset: int) -> Field:
    name = NAMES.get(attribute.oid, attribute.oid)
    value = attribute.value[:64].hex()
    if attribute.oid == SIGNING_TIME and (time := signing_time(attribute)):
        value = f"{time:%Y-%m-%d %H:%M:%S} UTC"
    elif attribute.oid == CONTENT_TYPE:
        value = "data" if attribute.value.hex() == "2a864886f70d010701" else value
    said = "of the image and the count" if attribute.oid == MESSAGE_DIGEST else ""
    return Field(offset + attribute.at, f"signed: {name}", value, said)
