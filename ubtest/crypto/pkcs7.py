"""PKCS#7 signatures as U-Boot verifies them in capsules."""

from dataclasses import replace
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from ubtest.formats.fmp import SUPPORT_AUTHENTICATION, FmpPayload


class Signer(Protocol):
    """A key pair: one of the key ring, or somebody's PEM files."""

    @property
    def private_key(self) -> rsa.RSAPrivateKey: ...

    @property
    def certificate(self) -> x509.Certificate: ...


def sign(key: Signer, data: bytes) -> bytes:
    """A detached signature over data, in DER, with the signer's certificate in it.

    SHA-256, because U-Boot hashes detached data with nothing else. The signed attributes are
    mkeficapsule's: content type, signing time, message digest.

    :raises HostError: the key is missing.
    """
    options = [
        PKCS7Options.DetachedSignature,
        PKCS7Options.Binary,  # otherwise line ends are converted before they are hashed
        PKCS7Options.NoCapabilities,
    ]
    return (
        PKCS7SignatureBuilder()
        .set_data(data)
        .add_signer(key.certificate, key.private_key, hashes.SHA256())
        .sign(serialization.Encoding.DER, options)
    )


def signed(key: Signer, payload: FmpPayload) -> FmpPayload:
    """The payload with a signature over its version header, image and monotonic count."""
    return replace(payload, signature=sign(key, payload.signed_data()))


def signed_again(key: Signer, payload: FmpPayload) -> FmpPayload:
    """The payload signed anew: an older signature and the fields around it are replaced."""
    support = None if payload.support is None else payload.support | SUPPORT_AUTHENTICATION
    bare = FmpPayload(
        payload.image_type,
        payload.image,
        payload.index,
        payload.hardware_instance,
        payload.monotonic_count,
        fw_version=payload.fw_version,
        lowest_supported_version=payload.lowest_supported_version,
        vendor_code=payload.vendor_code,
        reserved=payload.reserved,
        support=support,
    )
    return signed(key, bare)
