"""DER taken apart, from bytes that anybody may have made (X.690 section 8.1).

Every length is checked before it is used, nothing recurses, and no element is longer than what
holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.formats.record import FormatError

INTEGER, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31


class IndefiniteLength(FormatError):
    """BER, not DER: U-Boot and openssl can read it, this module cannot."""


@dataclass(frozen=True)
class Element:
    """One tag-length-value.

    :param at: offset of its tag; the value is from `body` to `end`.
    """

    tag: int
    at: int
    body: int
    end: int


def element(der: bytes, at: int, limit: int | None = None) -> Element:
    """The element at an offset.

    :param limit: where what holds it ends; without, the bytes do.
    :raises FormatError: no whole element there.
    :raises IndefiniteLength: it is BER.
    """
    limit = len(der) if limit is None else limit
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
    return Element(tag, at, body, body + length)


def children(der: bytes, parent: Element) -> list[Element]:
    """The elements inside of one, which fill it.

    :raises FormatError: it holds something else; names the offset.
    """
    if not parent.tag & 0x20:
        raise FormatError(f"DER at {parent.at:#x}: holds no other elements")
    found = []
    at = parent.body
    while at < parent.end:
        found.append(element(der, at, parent.end))
        at = found[-1].end
    return found


def expect(
    der: bytes, elements: Iterator[Element], tag: int, what: str, parent: Element
) -> Element:
    """The next element, which must have this tag.

    :param what: its name, for the error.
    :raises FormatError: there is none, or another.
    """
    found = next(elements, None)
    if found is None:
        raise FormatError(f"{what} at {parent.end:#x}: missing")
    if found.tag != tag:
        raise FormatError(f"{what} at {found.at:#x}: has tag {found.tag:#x}, must have {tag:#x}")
    return found


def integer(der: bytes, number: Element) -> int:
    """The value of an INTEGER."""
    return int.from_bytes(der[number.body : number.end], "big", signed=True)


def dotted(der: bytes, oid: Element) -> str:
    """An OBJECT IDENTIFIER as dotted numbers; of one that is not well-formed its bytes in hex."""
    raw = der[oid.body : oid.end]
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
