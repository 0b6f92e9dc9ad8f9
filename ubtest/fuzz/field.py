"""Where each named field of a packed capsule is, taken from the formats' own layout."""

from dataclasses import dataclass

from ubtest.formats.capsule import Capsule, CapsuleHeader, FmpCapsuleHeader, ItemOffset
from ubtest.formats.fmp import FmpPayload, ImageAuthentication, ImageHeader, PayloadHeader
from ubtest.formats.record import Record, layout


@dataclass(frozen=True)
class Place:
    """Bytes with a name.

    :param at: offset in the file.
    """

    at: int
    size: int


def places(capsule: Capsule) -> dict[str, Place]:
    """Every field of every header, and the bytes between them, by name.

    A payload's fields start with its number: ``payload 0 UpdateImageSize``.
    """
    found: dict[str, Place] = {}
    at = _add(found, "outer", CapsuleHeader, 0)
    at = _add(found, "management", FmpCapsuleHeader, at)
    offsets = capsule.item_offsets
    for number in range(len(capsule.payloads) if offsets is None else len(offsets)):
        found[f"management ItemOffsetList.{number}"] = Place(at, ItemOffset.size())
        at += ItemOffset.size()
    for number, payload in enumerate(capsule.payloads):
        at = _payload(found, f"payload {number}", payload, at)
    return found


def _payload(found: dict[str, Place], name: str, payload: FmpPayload, at: int) -> int:
    at = _add(found, name, ImageHeader, at)
    if payload.signature is not None:
        at = _add(found, name, ImageAuthentication, at)
        at = _bytes(found, f"{name} signature", payload.signature, at)
    if payload.version_header is not None:
        at = _add(found, f"{name} MSS1", PayloadHeader, at)
    at = _bytes(found, f"{name} image", payload.image, at)
    return _bytes(found, f"{name} vendor code", payload.vendor_code, at)


def _bytes(found: dict[str, Place], name: str, content: bytes, at: int) -> int:
    if content:
        found[name] = Place(at, len(content))
    return at + len(content)


def _add(found: dict[str, Place], name: str, record: type[Record], at: int) -> int:
    for slot in layout(record):
        found[f"{name} {slot.wire.name}"] = Place(at + slot.offset, slot.wire.size)
    return at + record.size()
