"""A key pair that is not of the key ring: somebody's PEM files."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ubtest.errors import CaseError


@dataclass(frozen=True)
class PemPair:
    """A private key and the certificate of the same key."""

    private_key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def read(cls, key: Path, certificate: Path) -> "PemPair":
        """Read both files.

        :raises CaseError: unreadable, protected by a password, not RSA, or not a pair.
        """
        (found, *_) = read_certificates(certificate)
        try:
            private = load_pem_private_key(_read(key), password=None)
        except TypeError:
            raise CaseError(
                f"{key} is protected by a password",
                next_step=f"take it off: openssl pkey -in {key} -out PLAIN",
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise CaseError(f"{key} holds no private key in PEM") from None
        if not isinstance(private, rsa.RSAPrivateKey):
            raise CaseError(f"{key} is not an RSA key; U-Boot verifies no other signatures")
        if found.public_key() != private.public_key():
            raise CaseError(f"{certificate} does not belong to {key}")
        return cls(private, found)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates of a PEM file, at least one.

    :raises CaseError: unreadable, or without a certificate.
    """
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        raise CaseError(
            f"{path} holds no certificate in PEM",
            next_step="convert DER: openssl x509 -inform DER -in FILE -out PEM",
        ) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)  # a large file is none of these
    except OSError as error:
        raise CaseError(f"cannot read {path}: {error.strerror}") from error
