"""Where the parts of a PKCS#7 signature are in its DER, so that a case can break one by name."""

from ubtest.formats.der import Element, children, element
from ubtest.formats.record import FormatError

IN_SIGNER = (
    "signer version",
    "issuerAndSerialNumber",
    "signer digestAlgorithm",
    "authenticatedAttributes",
    "digestEncryptionAlgorithm",
    "encryptedDigest",
)


def signature_parts(der: bytes) -> dict[str, Element]:
    """The parts of a detached signature with one signer, by their names in RFC 2315.

    :raises FormatError: it is not shaped like that.
    """
    content_info = element(der, 0)
    try:
        content_type, explicit = children(der, content_info)
        (signed_data,) = children(der, explicit)
        version, digests, inner, certificates, signer_infos = children(der, signed_data)
        (signer,) = children(der, signer_infos)
        in_signer = dict(zip(IN_SIGNER, children(der, signer), strict=True))
    except ValueError as error:
        raise FormatError(f"not a detached signature of one signer: {error}") from error
    return {
        "ContentInfo": content_info,
        "contentType": content_type,
        "content": explicit,
        "SignedData": signed_data,
        "version": version,
        "digestAlgorithms": digests,
        "inner contentInfo": inner,
        "certificates": certificates,
        "signerInfos": signer_infos,
        "SignerInfo": signer,
        **in_signer,
    }
