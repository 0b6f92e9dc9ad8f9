"""PKCS#7 SignedData taken apart, from bytes that anybody may have made (RFC 2315, RFC 5652).

Certificates stay DER: `cryptography` reads them.
"""

from dataclasses import dataclass

from ubtest.formats.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Element,
    children,
    dotted,
    element,
    expect,
    integer,
)
from ubtest.formats.record import FormatError

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"

NAMES = {
    DATA: "data",
    SIGNED_DATA: "signedData",
    "1.3.6.1.4.1.311.2.1.4": "Microsoft's indirect data",
    CONTENT_TYPE: "contentType",
    MESSAGE_DIGEST: "messageDigest",
    SIGNING_TIME: "signingTime",
    "1.2.840.113549.1.9.15": "S/MIME capabilities",
    RSA_ENCRYPTION: "RSA",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.2.840.113549.2.5": "MD5",
    "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
    "2.16.840.1.101.3.4.2.4": "SHA-224",
}

UTC_TIME, GENERALIZED_TIME = 0x17, 0x18


@dataclass(frozen=True)
class Attribute:
    """One signed attribute with its value: exactly one in those that U-Boot looks at."""

    oid: str
    at: int
    tag: int
    value: bytes


@dataclass(frozen=True)
class SignerInfo:
    """Who signed, and what.

    :param issuer: DER of the certificate's issuer; None when a key identifier names it instead.
    :param attributes: what is signed; empty when the data itself are.
    :param signed_bytes: the attributes as they are hashed; empty without attributes.
    :param more: something follows the signature: attributes that are not signed.
    """

    at: int
    version: int
    issuer: bytes | None
    serial: int
    key_identifier: bytes
    digest: str
    attributes: tuple[Attribute, ...]
    signed_bytes: bytes
    algorithm: str
    signature: bytes
    more: bool = False

    def attribute(self, oid: str) -> Attribute | None:
        """The attribute of that type."""
        return next((each for each in self.attributes if each.oid == oid), None)


@dataclass(frozen=True)
class SignedData:
    """A whole signature.

    :param wrapped: it stands in a ContentInfo; EDK2 also takes it without.
    :param content: the data are in it; a capsule's are not.
    :param certificates: offset and DER of each.
    :param revocations: it carries lists of revoked certificates.
    """

    wrapped: bool
    at: int
    version: int
    digests: tuple[str, ...]
    content_type: str
    content: bool
    certificates: tuple[tuple[int, bytes], ...]
    signers: tuple[SignerInfo, ...]
    end: int
    revocations: bool = False

    @classmethod
    def parse(cls, der: bytes) -> "SignedData":
        """Take a signature apart.

        :raises FormatError: it is no SignedData; names the offset.
        :raises IndefiniteLength: it is BER (:mod:`ubtest.formats.der`).
        """
        root = element(der, 0)
        parts = children(der, root)
        wrapped = bool(parts) and parts[0].tag == OID
        data = root
        if wrapped:
            if (oid := dotted(der, parts[0])) != SIGNED_DATA:
                raise FormatError(f"contentType at {parts[0].at:#x}: is {_name(oid)}")
            explicit = expect(der, iter(parts[1:]), 0xA0, "content", root)
            data = expect(der, iter(children(der, explicit)), SEQUENCE, "SignedData", explicit)
        return _signed_data(der, data, wrapped, root.end)


def _signed_data(der: bytes, data: Element, wrapped: bool, end: int) -> SignedData:
    parts = iter(children(der, data))
    version = integer(der, expect(der, parts, INTEGER, "version", data))
    digests = children(der, expect(der, parts, SET, "digestAlgorithms", data))
    inner = expect(der, parts, SEQUENCE, "contentInfo", data)
    content = iter(children(der, inner))
    content_type = dotted(der, expect(der, content, OID, "contentType", inner))
    certificates: tuple[tuple[int, bytes], ...] = ()
    signers: tuple[SignerInfo, ...] | None = None
    revocations = False
    for part in parts:
        if part.tag == 0xA0:
            certificates = tuple((n.at, der[n.at : n.end]) for n in children(der, part))
        elif part.tag == 0xA1:
            revocations = True
        elif part.tag == SET:
            signers = tuple(_signer(der, each) for each in children(der, part))
    if signers is None:
        raise FormatError(f"signerInfos at {data.end:#x}: missing")
    return SignedData(
        wrapped,
        data.at,
        version,
        tuple(_algorithm(der, each) for each in digests),
        content_type,
        next(content, None) is not None,
        certificates,
        signers,
        end,
        revocations,
    )


def _signer(der: bytes, node: Element) -> SignerInfo:
    parts = iter(children(der, node))
    version = integer(der, expect(der, parts, INTEGER, "version", node))
    sid = next(parts, node)
    issuer, serial, key_identifier = None, 0, b""
    if sid.tag == 0x80:
        key_identifier = der[sid.body : sid.end]
    else:
        names = iter(children(der, sid))
        name = expect(der, names, SEQUENCE, "issuer", sid)
        issuer = der[name.at : name.end]
        serial = integer(der, expect(der, names, INTEGER, "serialNumber", sid))
    digest = _algorithm(der, expect(der, parts, SEQUENCE, "digestAlgorithm", node))
    following = next(parts, node)
    attributes: tuple[Attribute, ...] = ()
    signed_bytes = b""
    if following.tag == 0xA0:
        attributes = tuple(_attribute(der, each) for each in children(der, following))
        # Signed as the SET that they are, not under the tag that they have here
        signed_bytes = bytes([SET]) + der[following.at + 1 : following.end]
        following = next(parts, node)
    if following.tag != SEQUENCE or following is node:
        raise FormatError(f"signatureAlgorithm at {node.at:#x}: missing")
    value = expect(der, parts, OCTET_STRING, "signature", node)
    return SignerInfo(
        node.at,
        version,
        issuer,
        serial,
        key_identifier,
        digest,
        attributes,
        signed_bytes,
        _algorithm(der, following),
        der[value.body : value.end],
        next(parts, None) is not None,
    )


def _attribute(der: bytes, node: Element) -> Attribute:
    parts = iter(children(der, node))
    oid = dotted(der, expect(der, parts, OID, "attribute", node))
    values = children(der, expect(der, parts, SET, "attribute values", node))
    if len(values) != 1 and oid in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME):
        raise FormatError(f"{_name(oid)} at {node.at:#x}: has {len(values)} values, must have 1")
    value = values[0] if values else node
    return Attribute(oid, value.at, value.tag, der[value.body : value.end])


def _algorithm(der: bytes, node: Element) -> str:
    return dotted(der, expect(der, iter(children(der, node)), OID, "algorithm", node))


def _name(oid: str) -> str:
    return NAMES.get(oid, oid)
