"""Where the parts of a PKCS#7 signature are in its DER, so that a case can break one by name."""

from dataclasses import dataclass

from ubtest.formats.record import FormatError


@dataclass(frozen=True)
class Element:
    """One tag-length-value.

    :param at: offset of its tag.
    :param body: offset of its value.
    :param end: offset behind it.
    """

    at: int
    body: int
    end: int


def element(der: bytes, at: int) -> Element:
    """The element that starts at an offset.

    :raises FormatError: no whole header there (X.690 section 8.1).
    """
    if at + 2 > len(der):
        raise FormatError(f"DER at {at:#x}: no element")
    length, body = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[body : body + count], "big")
        body += count
    return Element(at, body, body + length)


def children(der: bytes, parent: Element) -> list[Element]:
    """The elements inside a constructed one.

    :raises FormatError: they do not fit into it.
    """
    found = []
    at = parent.body
    while at < parent.end:
        found.append(element(der, at))
        at = found[-1].end
    if at != parent.end:
        raise FormatError(f"DER at {parent.at:#x}: its parts end at {at:#x}, not {parent.end:#x}")
    return found


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
