"""PKCS#7 signatures as U-Boot verifies them in capsules."""

from dataclasses import replace

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from ubtest.crypto.key import Key
from ubtest.formats.fmp import FmpPayload


def sign(key: Key, data: bytes) -> bytes:
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


def signed(key: Key, payload: FmpPayload) -> FmpPayload:
    """The payload with a signature over its version header, image and monotonic count."""
    return replace(payload, signature=sign(key, payload.signed_data()))
