"""PKCS#7 signatures other than the usual one: what U-Boot must refuse, or may take."""

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID

from ubtest.crypto.key import Key

DETACHED = (PKCS7Options.DetachedSignature, PKCS7Options.Binary, PKCS7Options.NoCapabilities)
Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
Signer = tuple[x509.Certificate, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]


def sign_as(
    data: bytes,
    signers: Sequence[Signer],
    *,
    digest: Hash | None = None,
    pss: bool = False,
    extra: Sequence[x509.Certificate] = (),
    options: Sequence[PKCS7Options] = DETACHED,
) -> bytes:
    """A signature with everything open: signers, digest, padding, certificates, attributes."""
    builder = PKCS7SignatureBuilder().set_data(data)
    for certificate, key in signers:
        rsa_padding = (
            padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH) if pss else None
        )
        builder = builder.add_signer(
            certificate, key, digest or hashes.SHA256(), rsa_padding=rsa_padding
        )
    for certificate in extra:  # last: add_signer forgets what was added before it
        builder = builder.add_certificate(certificate)
    return builder.sign(serialization.Encoding.DER, list(options))


def signer(key: Key) -> Signer:
    """A key of the ring."""
    return key.certificate, key.private_key


def issued_by(issuer: Signer, name: str, *, elliptic: bool = False, ca: bool = True) -> Signer:
    """A new key whose certificate an issuer signed.

    :param elliptic: on the curve P-256 instead of RSA 2048.
    """
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(65537, 2048)
    )
    certificate, issuer_key = issuer
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(issuer_key, hashes.SHA256()), key
