"""One key pair on disk: made, read and held against its declaration."""

import contextlib
import datetime
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ubtest.crypto.declaration import Declaration
from ubtest.errors import HostError

MAKE = "ubtest keys make"


@dataclass(frozen=True)
class Key:
    """A private key with its self-signed certificate; read from disk when first asked for.

    :param folder: where `NAME.key` and `NAME.crt` are.
    """

    declaration: Declaration
    folder: Path

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def private_key_path(self) -> Path:
        return self.folder / f"{self.name}.key"

    @property
    def certificate_path(self) -> Path:
        return self.folder / f"{self.name}.crt"

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The private key.

        :raises HostError: missing, unreadable or not what is declared.
        """
        raw = _read(self.private_key_path)
        try:
            key = serialization.load_pem_private_key(
                raw,
                password=None,
                unsafe_skip_rsa_key_validation=True,  # 100 ms each; made by us
            )
        except (ValueError, TypeError) as error:
            raise self._spoiled(f"{self.private_key_path} holds no private key: {error}") from error
        wanted = self.declaration
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != wanted.bits:
            raise self._spoiled(
                f"{self.private_key_path} is not the {wanted.algorithm} key "
                f"of {wanted.bits} bits that is declared"
            )
        return key

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate.

        :raises HostError: missing, unreadable, or not made for the private key.
        """
        raw = _read(self.certificate_path)
        try:
            certificate = x509.load_pem_x509_certificate(raw)
        except ValueError as error:
            raise self._spoiled(f"{self.certificate_path} holds no certificate: {error}") from error
        if certificate.public_key() != self.private_key.public_key():
            raise self._spoiled(
                f"{self.certificate_path} does not belong to {self.private_key_path}"
            )
        return certificate

    @cached_property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in DER, in hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def make(self) -> bool:
        """Make what is missing; whether anything was.

        Whoever calls this holds the ring's lock.

        :raises HostError: the private key that is there cannot be used.
        """
        if self.private_key_path.exists() and self.certificate_path.exists():
            return False
        if not self.private_key_path.exists():
            # A stop between here and the new certificate must not leave a pair that differs.
            self.certificate_path.unlink(missing_ok=True)
            fresh = rsa.generate_private_key(65537, self.declaration.bits)
            write_whole(self.private_key_path, _private_pem(fresh), 0o600)
        certificate = _self_signed(self.private_key, self.declaration)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        write_whole(self.certificate_path, pem, 0o644)
        return True

    def _spoiled(self, message: str) -> HostError:
        return HostError(
            message,
            next_step=(
                f"delete {self.private_key_path} and {self.certificate_path}, "
                f"run `{MAKE}` and build the firmware again"
            ),
        )


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is there whole or not at all, and never readable to more than `mode`."""
    # mkstemp opens with 0600: a private key is at no moment open to others.
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        Path(part).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HostError(f"{path} is missing", next_step=f"run `{MAKE}`") from None
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _self_signed(key: rsa.RSAPrivateKey, declaration: Declaration) -> x509.Certificate:
    """A certificate with the extensions that `openssl req -x509` gives."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, declaration.subject)])
    # Whole seconds, and a day ago: the clocks of two lab machines differ.
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    start -= datetime.timedelta(days=1)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=declaration.days))
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
