"""PKCS#7 SignedData taken apart, from bytes that anybody may have made (RFC 2315, RFC 5652).

Every length is checked before it is used, nothing recurses, and no part is longer than what holds
it. Certificates stay DER: `cryptography` reads them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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

INTEGER, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18


class IndefiniteLength(FormatError):
    """BER, not DER: U-Boot and openssl can read it, this module cannot."""


@dataclass(frozen=True)
class Node:
    """One element.

    :param at: offset of its tag; the value is from `body` to `end`.
    """

    tag: int
    at: int
    body: int
    end: int


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
        :raises IndefiniteLength: it is BER.
        """
        root = _node(der, 0, len(der))
        parts = _children(der, root)
        wrapped = bool(parts) and parts[0].tag == OID
        data = root
        if wrapped:
            if (oid := _oid(der, parts[0])) != SIGNED_DATA:
                raise FormatError(f"contentType at {parts[0].at:#x}: is {_name(oid)}")
            explicit = _expect(der, iter(parts[1:]), 0xA0, "content", root)
            data = _expect(der, iter(_children(der, explicit)), SEQUENCE, "SignedData", explicit)
        return _signed_data(der, data, wrapped, root.end)


def _signed_data(der: bytes, data: Node, wrapped: bool, end: int) -> SignedData:
    parts = iter(_children(der, data))
    version = _integer(der, _expect(der, parts, INTEGER, "version", data))
    digests = _children(der, _expect(der, parts, SET, "digestAlgorithms", data))
    inner = _expect(der, parts, SEQUENCE, "contentInfo", data)
    content = iter(_children(der, inner))
    content_type = _oid(der, _expect(der, content, OID, "contentType", inner))
    certificates: tuple[tuple[int, bytes], ...] = ()
    signers: tuple[SignerInfo, ...] | None = None
    revocations = False
    for part in parts:
        if part.tag == 0xA0:
            certificates = tuple((n.at, der[n.at : n.end]) for n in _children(der, part))
        elif part.tag == 0xA1:
            revocations = True
        elif part.tag == SET:
            signers = tuple(_signer(der, each) for each in _children(der, part))
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


def _signer(der: bytes, node: Node) -> SignerInfo:
    parts = iter(_children(der, node))
    version = _integer(der, _expect(der, parts, INTEGER, "version", node))
    sid = next(parts, node)
    issuer, serial, key_identifier = None, 0, b""
    if sid.tag == 0x80:
        key_identifier = der[sid.body : sid.end]
    else:
        names = iter(_children(der, sid))
        name = _expect(der, names, SEQUENCE, "issuer", sid)
        issuer = der[name.at : name.end]
        serial = _integer(der, _expect(der, names, INTEGER, "serialNumber", sid))
    digest = _algorithm(der, _expect(der, parts, SEQUENCE, "digestAlgorithm", node))
    following = next(parts, node)
    attributes: tuple[Attribute, ...] = ()
    signed_bytes = b""
    if following.tag == 0xA0:
        attributes = tuple(_attribute(der, each) for each in _children(der, following))
        # Signed as the SET that they are, not under the tag that they have here
        signed_bytes = bytes([SET]) + der[following.at + 1 : following.end]
        following = next(parts, node)
    if following.tag != SEQUENCE or following is node:
        raise FormatError(f"signatureAlgorithm at {node.at:#x}: missing")
    value = _expect(der, parts, OCTET_STRING, "signature", node)
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


def _attribute(der: bytes, node: Node) -> Attribute:
    parts = iter(_children(der, node))
    oid = _oid(der, _expect(der, parts, OID, "attribute", node))
    values = _children(der, _expect(der, parts, SET, "attribute values", node))
    if len(values) != 1 and oid in (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME):
        raise FormatError(f"{_name(oid)} at {node.at:#x}: has {len(values)} values, must have 1")
    value = values[0] if values else node
    return Attribute(oid, value.at, value.tag, der[value.body : value.end])


def _node(der: bytes, at: int, limit: int) -> Node:
    """The element at an offset; it ends before the limit."""
    if at + 2 > limit:
        raise FormatError(f"DER at {at:#x}: no element")
    tag, length, body = der[at], der[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise FormatError(f"DER at {at:#x}: a tag of several bytes")
    if length == 0x80:
        raise IndefiniteLength(f"DER at {at:#x}: an indefinite length")
    if length & 0x80:
        count = length & 0x7F
        if count > 4 or body + count > limit:
            raise FormatError(f"DER at {at:#x}: a length of {count} bytes")
        length = int.from_bytes(der[body : body + count], "big")
        body += count
    if body + length > limit:
        raise FormatError(f"DER at {at:#x}: leads {body + length - limit} beyond what holds it")
    return Node(tag, at, body, body + length)


def _children(der: bytes, parent: Node) -> list[Node]:
    if not parent.tag & 0x20:
        raise FormatError(f"DER at {parent.at:#x}: holds no other elements")
    found = []
    at = parent.body
    while at < parent.end:
        found.append(_node(der, at, parent.end))
        at = found[-1].end
    return found


def _expect(der: bytes, nodes: Iterator[Node], tag: int, what: str, parent: Node) -> Node:
    found = next(nodes, None)
    if found is None:
        raise FormatError(f"{what} at {parent.end:#x}: missing")
    if found.tag != tag:
        raise FormatError(f"{what} at {found.at:#x}: has tag {found.tag:#x}, must have {tag:#x}")
    return found


def _algorithm(der: bytes, node: Node) -> str:
    return _oid(der, _expect(der, iter(_children(der, node)), OID, "algorithm", node))


def _integer(der: bytes, node: Node) -> int:
    return int.from_bytes(der[node.body : node.end], "big", signed=True)


def _oid(der: bytes, node: Node) -> str:
    """Dotted numbers; of one that is not well-formed its bytes in hex."""
    raw = der[node.body : node.end]
    if not raw or raw[-1] & 0x80 or len(raw) > 64:
        return raw[:64].hex() or "empty"
    numbers, value = [], 0
    for byte in raw:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _name(oid: str) -> str:
    return NAMES.get(oid, oid)
