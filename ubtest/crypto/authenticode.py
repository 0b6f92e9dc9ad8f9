"""EFI images as UEFI Secure Boot checks them: signed, and known by their digest
(UEFI 2.10 section 32.2.2; Windows Authenticode Portable Executable Signature Format)."""

import hashlib
import tempfile
from pathlib import Path
from typing import Protocol

from ubtest.formats.pe import CERTIFICATES, PE32_PLUS, CoffHeader, PeImage
from ubtest.run import run

ALIGNMENT = 8  # the certificate table starts at a multiple of it, with zeros in front
CHECKSUM_AT = 64  # in the optional header


class KeyFiles(Protocol):
    """A key pair that is on disk as PEM."""

    @property
    def private_key_path(self) -> Path: ...

    @property
    def certificate_path(self) -> Path: ...


def signed_image(key: KeyFiles, image: bytes) -> bytes:
    """The image with one more signature, by sbsign.

    :raises HostError: sbsign is missing, or cannot sign it.
    """
    with tempfile.TemporaryDirectory(prefix="ubtest-") as name:
        plain, signed = Path(name) / "plain.efi", Path(name) / "signed.efi"
        plain.write_bytes(image)
        pair: list[str | Path] = ["--key", key.private_key_path, "--cert", key.certificate_path]
        run(["sbsign", *pair, "--output", signed, plain])
        return signed.read_bytes()


def image_digest(image: bytes) -> bytes:
    """SHA-256 over what a signature of the image covers: all but the checksum and the signatures.

    A signature database holds it as EFI_CERT_SHA256_GUID. Right for images whose sections stand in
    the order of the file without gaps, as linkers write them.

    :raises FormatError: it is no PE image.
    """
    pe = PeImage.parse(image)
    optional = pe.coff_at + CoffHeader.size()
    directories = optional + (112 if pe.magic == PE32_PLUS else 96)
    entry = directories + 8 * CERTIFICATES
    table = int.from_bytes(image[entry : entry + 4], "little")
    end = table if table and pe.certificates else len(image)
    covered = (
        image[: optional + CHECKSUM_AT]
        + image[optional + CHECKSUM_AT + 4 : entry]
        + image[entry + 8 : end]
    )
    return hashlib.sha256(covered + bytes(-end % ALIGNMENT)).digest()
