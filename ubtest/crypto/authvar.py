"""Authenticated variables, signed as an owner of the platform signs them."""

from dataclasses import replace

from ubtest.crypto.pkcs7 import Signer, sign
from ubtest.formats.authvar import AuthenticatedWrite
from ubtest.formats.der import children, element
from ubtest.formats.record import FormatError


def signed_write(key: Signer, write: AuthenticatedWrite) -> AuthenticatedWrite:
    """The write with a signature in the form that the specification asks for: SignedData without
    the ContentInfo around it (UEFI 2.10 section 8.2.2)."""
    return replace(write, signature=without_content_info(sign(key, write.signed_data())))


def wrapped_write(key: Signer, write: AuthenticatedWrite) -> AuthenticatedWrite:
    """The write with the ContentInfo around its SignedData, as openssl makes signatures; firmware
    takes it, too (`efi_parse_pkcs7_header`, lib/efi_loader/efi_signature.c)."""
    return replace(write, signature=sign(key, write.signed_data()))


def without_content_info(der: bytes) -> bytes:
    """The SignedData of a signature.

    :raises FormatError: the signature is no ContentInfo.
    """
    parts = children(der, element(der, 0))
    if len(parts) != 2:
        raise FormatError(f"ContentInfo: has {len(parts)} parts, must have 2")
    return der[parts[1].body : parts[1].end]
