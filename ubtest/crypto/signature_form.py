"""What U-Boot's parsers make of a signature before any digest is made.

There are two: the older one, from Linux (lib/crypto/pkcs7_parser.c), and since 2025.01 MbedTLS
(lib/mbedtls/pkcs7_parser.c) where CONFIG_MBEDTLS_LIB_X509 is set. Where both refuse, it is refused.
Where they differ, only the firmware's configuration can tell.
"""

from ubtest.formats.pkcs7 import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    NAMES,
    RSA_ENCRYPTION,
    SignedData,
    SignerInfo,
)

MBEDTLS = "2025.01 with MbedTLS"
# The OID as U-Boot looks for it, behind a length in two bytes (`efi_parse_pkcs7_header`)
SIGNED_DATA_OID = bytes.fromhex("06092a864886f70d010702")
_DATA_OID = bytes.fromhex("2a864886f70d010701")
_RSA = (RSA_ENCRYPTION, *(oid for oid, name in NAMES.items() if name.startswith("RSA with")))


def unreadable(data: SignedData, signature: bytes) -> str | None:
    """Why neither parser takes a signature."""
    if data.wrapped and signature[4:15] != SIGNED_DATA_OID:
        return "its outer length is not written in two bytes"
    if not data.signers:
        return "nobody signed it"
    if data.version not in (1, 3):
        return f"SignedData has version {data.version}"
    if len({bool(signer.attributes) for signer in data.signers}) > 1:
        return "some signers have signed attributes, some have none"
    return next(filter(None, map(_unreadable_signer, data.signers)), None)


def _unreadable_signer(signer: SignerInfo) -> str | None:
    names = [each.oid for each in signer.attributes]
    kind = signer.attribute(CONTENT_TYPE)
    checks = (
        (signer.digest in NAMES, "its digest algorithm is unknown to U-Boot"),
        (
            signer.algorithm in _RSA,
            "its signature algorithm is not plain RSA (PKCS#1 1.5), the only one U-Boot knows",
        ),
        (
            not names or names.count(MESSAGE_DIGEST) == 1,
            "the signed attributes need one messageDigest",
        ),
        (not kind or kind.value == _DATA_OID, "the signed contentType is not data"),
    )
    return next((reason for good, reason in checks if not good), None)


def parsers_differ(data: SignedData, size: int) -> str | None:
    """Why one parser may take a signature and the other not.

    :param size: bytes of the signature.
    """
    if data.content:
        return (
            "the signature holds content of its own: it says nothing about the image, and a "
            "firmware must refuse it; whether this one does, only the board can tell"
        )
    signers = data.signers
    checks = (
        (data.content_type == DATA, "its contentInfo is not data"),
        (data.end == size, "bytes follow it"),
        (len(data.digests) == 1, f"it lists {len(data.digests)} digest algorithms"),
        (not data.revocations, "it carries revocation lists"),
        (data.version == 1 and all(s.version == 1 for s in signers), "it is CMS of version 3"),
        (all(s.algorithm == RSA_ENCRYPTION for s in signers), "it names a digest beside RSA"),
        (not any(s.more for s in signers), "it has attributes that are not signed"),
        (
            all(s.attribute(CONTENT_TYPE) for s in signers if s.attributes),
            "its signed attributes lack contentType",
        ),
    )
    found = [text for good, text in checks if not good]
    return f"U-Boot's two parsers differ (CONFIG_MBEDTLS_LIB_X509): {found[0]}" if found else None
