"""A DER signature as a tree that can be edited and written again, right or wrong on purpose."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ubtest.formats.der import children, element

# Where the parts of a detached signature are (RFC 2315), so that a recipe names them
NAMES = {
    "": "ContentInfo",
    "0": "contentType",
    "1": "content",
    "1.0": "SignedData",
    "1.0.0": "version",
    "1.0.1": "digestAlgorithms",
    "1.0.2": "inner contentInfo",
    "1.0.3": "certificates",
    "1.0.4": "signerInfos",
    "1.0.4.0": "SignerInfo",
    "1.0.4.0.0": "signer version",
    "1.0.4.0.1": "issuerAndSerialNumber",
    "1.0.4.0.2": "signer digestAlgorithm",
}
_CERTIFICATES = "1.0.3"
_OCTET_STRING, _BIT_STRING, _CONSTRUCTED = 0x04, 0x03, 0x20


@dataclass(eq=False)
class Node:
    """One tag-length-value (X.690 section 8.1).

    :param value: what a primitive one holds.
    :param prefix: what stands in front of the children: the unused bits of a BIT STRING.
    :param length: the bytes of the length, where they shall not be what is right.
    :param copies: how often it is written; 0 leaves it away.
    """

    tag: bytes
    value: bytes = b""
    children: "list[Node] | None" = None
    prefix: bytes = b""
    length: bytes | None = None
    copies: int = 1
    wrappers: list[bytes] = field(default_factory=list)  # tags around it, the inner one first

    @property
    def body(self) -> bytes:
        """What stands behind the length."""
        if self.children is None:
            return self.value
        return self.prefix + b"".join(child.encode() for child in self.children)

    def encode(self) -> bytes:
        """The bytes, with all lengths computed that are not set."""
        body = self.body
        length = _length(len(body)) if self.length is None else self.length
        der = self.tag + length + body
        for tag in self.wrappers:
            der = tag + _length(len(der)) + der
        return der * self.copies

    def become(self, value: bytes) -> None:
        """Hold these bytes and no children."""
        self.value, self.children, self.prefix = value, None, b""


def parse(der: bytes) -> Node:
    """The tree of a well-formed signature; what follows it is left away.

    OCTET STRINGs and BIT STRINGs of certificates are opened where they hold DER.

    :raises FormatError: it is not DER.
    """
    return _node(der, 0, "")


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its path: the numbers of the children that lead to it, from 0."""
    yield path, node
    for number, child in enumerate(node.children or ()):
        yield from walk(child, f"{path}.{number}".lstrip("."))


def named(path: str) -> str:
    """A path for a reader: what it leads to, or the nearest named part and the rest of the way."""
    known, rest = path, ""
    while known not in NAMES:
        known, _, last = known.rpartition(".")
        rest = f"{last}.{rest}".rstrip(".")
    return f"{NAMES[known]}.{rest}".rstrip(".")


def _node(der: bytes, at: int, path: str) -> Node:
    here = element(der, at)
    tag = der[at]
    if tag & _CONSTRUCTED:
        parts = enumerate(children(der, here))
        below = [_node(der, each.at, f"{path}.{n}".lstrip(".")) for n, each in parts]
        return Node(bytes([tag]), children=below)
    value = der[here.body : here.end]
    skip = 1 if tag == _BIT_STRING else 0
    opened = tag in (_OCTET_STRING, _BIT_STRING) and path.startswith(_CERTIFICATES)
    if opened and (inner := _inside(value, skip, f"{path}.0")):
        return Node(bytes([tag]), children=[inner], prefix=value[:skip])
    return Node(bytes([tag]), value)


def _inside(value: bytes, skip: int, path: str) -> Node | None:
    """The SEQUENCE that fills a string; None where it holds something else."""
    if value[skip : skip + 1] != b"\x30":
        return None
    try:
        if element(value, skip).end != len(value):
            return None
        return _node(value, skip, path)
    except ValueError:
        return None


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits
