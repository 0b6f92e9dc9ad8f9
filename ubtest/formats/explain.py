"""Any file as a capsule, field by field. Nothing raises: what is wrong becomes a finding.

Reads headers only, never an image, so a file of any size takes little memory and time.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from ubtest.formats.capsule import CapsuleHeader, FmpCapsuleHeader
from ubtest.formats.explanation import Explanation, Field, Finding, Part
from ubtest.formats.fmp import (
    CERTIFICATE_HEADER_SIZE,
    SUPPORT_AUTHENTICATION,
    WIN_CERT_REVISION_2_0,
    WIN_CERT_TYPE_EFI_GUID,
    ImageAuthentication,
    ImageHeader,
    PayloadHeader,
)
from ubtest.formats.guid import CERT_TYPE_PKCS7, FMP_CAPSULE, FW_ACCEPT, FW_REVERT, Guid, GuidWire
from ubtest.formats.image_headers import IMAGE_HEADERS, AnyImageHeader
from ubtest.formats.meaning import CAPSULE_FLAGS, KINDS, MAGIC_SIZE, image_kind, meaning
from ubtest.formats.record import Bytes, Record, layout

SHOWN_ITEMS = 64  # of 131070 that the counts allow
SHOWN_SIGNATURE = 1 << 16  # bytes; U-Boot's own length field for a signature has 16 bits

R = TypeVar("R", bound=Record)
Described = tuple[tuple[Part, ...], tuple[Finding, ...]]
DescribeSignature = Callable[[bytes, int], Described]


@dataclass(frozen=True)
class AcceptedImage(Record):
    """What follows the header of U-Boot's FWU accept capsule (tools/mkeficapsule.c)."""

    spec_name = "FW_ACCEPT"

    image_type: Annotated[Guid, GuidWire("ImageTypeId")]


def _undescribed(signature: bytes, offset: int) -> Described:
    return (), ()


def explain(data: Bytes, describe_signature: DescribeSignature = _undescribed) -> Explanation:
    """What every field of a file says, and what is wrong with it.

    :param describe_signature: gets a PKCS#7 signature and its offset.
    """
    walk = _Walk(data, describe_signature)
    kind = walk.capsule()
    return Explanation(len(data), kind, tuple(walk.parts), tuple(walk.findings))


class _Walk:
    """One way through a file, collecting parts, findings and the ranges that are accounted for."""

    def __init__(self, data: Bytes, describe_signature: DescribeSignature) -> None:
        self.data = data
        self.describe_signature = describe_signature
        self.parts: list[Part] = []
        self.findings: list[Finding] = []
        self.known: list[tuple[int, int]] = []
        self.payloads: list[tuple[int, int]] = []

    def capsule(self) -> str:
        """The whole file; returns what it is."""
        header = self._record(CapsuleHeader, 0)
        if header is None:
            return "empty" if not len(self.data) else "too short for a capsule"
        kind = KINDS.get(header.guid, "not a capsule that is known here")
        if header.guid not in KINDS:
            self._find(0, "CapsuleGuid", f"{header.guid} is of no known kind of capsule")
        self._outer(header)
        if header.guid == FMP_CAPSULE:
            count = self._management(header.header_size)
            kind += f", {count} payload{'s' * (count != 1)}" if count is not None else ""
        elif header.guid == FW_ACCEPT:
            self._record(AcceptedImage, header.header_size)
        if header.guid in (FMP_CAPSULE, FW_ACCEPT, FW_REVERT):
            self._gaps(header.image_size)
        return kind

    def _outer(self, header: CapsuleHeader) -> None:
        size, fixed = len(self.data), header.size()
        if header.image_size > size:
            self._find(24, "CapsuleImageSize", f"leads {header.image_size - size} beyond the file")
        elif header.image_size < fixed:
            self._find(24, "CapsuleImageSize", f"is less than the {fixed} of this header")
        elif header.image_size < size:
            more = size - header.image_size
            self._find(header.image_size, "CapsuleImageSize", f"leaves {more} bytes behind it")
        if header.header_size < fixed:
            self._find(16, "HeaderSize", f"is less than {fixed}: what follows is read from inside")
        elif header.header_size > fixed:
            self._find(16, "HeaderSize", f"is more than {fixed}: the header has an extension")
            self.known.append((fixed, header.header_size))
        if header.header_size >= header.image_size and header.guid != FW_REVERT:
            self._find(16, "HeaderSize", "leaves nothing of the capsule behind the header")
        if unknown := (header.flags & ~0xFFFF) & ~sum(CAPSULE_FLAGS):
            self._find(20, "Flags", f"has bits without a meaning: {unknown:#x}")
        if header.flags & 0x60000 and not header.flags & 0x10000:
            self._find(20, "Flags", "needs PERSIST_ACROSS_RESET for the other two")

    def _management(self, base: int) -> int | None:
        """The firmware management header and its items; returns how many payloads there are."""
        header = self._record(FmpCapsuleHeader, base)
        if header is None:
            return None
        if header.version != 1:
            self._find(base, "Version", f"is {header.version}; there is 1 only")
        if header.payload_item_count == 0:
            self._find(base + 6, "PayloadItemCount", "is 0: there is nothing to update")
        drivers = header.embedded_driver_count
        total = drivers + header.payload_item_count
        items = self._offsets(base, min(total, SHOWN_ITEMS), total)
        for number, item in enumerate(items):
            at = base + item
            if at >= len(self.data):
                where = base + header.size() + 8 * number
                self._find(where, f"ItemOffsetList[{number}]", "leads beyond the file")
            elif item < header.size() + 8 * total:
                where = base + header.size() + 8 * number
                self._find(where, f"ItemOffsetList[{number}]", "leads into the headers before it")
            if number < drivers:
                self._driver(number, at, base, items)
            elif at < len(self.data):
                self._payload(number - drivers, at)
        return header.payload_item_count

    def _offsets(self, base: int, shown: int, total: int) -> list[int]:
        """The offset list, as far as it is shown and in the file."""
        start = base + FmpCapsuleHeader.size()
        raw = self.data[start : start + 8 * shown]
        items = list(struct.unpack_from(f"<{len(raw) // 8}Q", raw))
        fields = tuple(
            Field(start + 8 * n, f"ItemOffsetList[{n}]", item, f"at {base + item:#x} of the file")
            for n, item in enumerate(items)
        )
        self.parts[-1] = replace(self.parts[-1], fields=self.parts[-1].fields + fields)
        end = start + 8 * len(items)
        if len(items) < shown:
            self._find(end, f"ItemOffsetList[{len(items)}]", "is not in the file")
        elif total > shown:
            self._find(end, f"ItemOffsetList[{shown}]", f"and {total - shown - 1} more not shown")
        self.known.append((start, start + 8 * total))
        return items

    def _driver(self, number: int, at: int, base: int, items: list[int]) -> None:
        end = min((base + item for item in items if base + item > at), default=len(self.data))
        size = max(0, min(end, len(self.data)) - at)
        kind = image_kind(self.data[at : at + MAGIC_SIZE]) if size else "nothing"
        field = Field(at, "EmbeddedDriver", f"{size} bytes", kind)
        self.parts.append(Part(f"driver {number}", at, (field,)))
        self.known.append((at, at + size))

    def _payload(self, number: int, at: int) -> None:
        version = int.from_bytes(self.data[at : at + 4], "little")
        title = f"payload {number}: "
        header = self._record(IMAGE_HEADERS.get(version, ImageHeader), at, title)
        if header is None:
            return
        if version != 3:
            self._find(at, f"{title}Version", f"is {version}; U-Boot takes 3 only")
        if any(header.reserved):
            self._find(at + 21, f"{title}reserved_bytes", "are not 0")
        if header.index == 0:
            self._find(at + 20, f"{title}UpdateImageIndex", "is 0; indices start at 1")
        start = at + header.size()
        end = start + header.image_size
        if end > len(self.data):
            beyond = end - len(self.data)
            self._find(at + 24, f"{title}UpdateImageSize", f"leads {beyond} beyond the file")
            end = len(self.data)
        elif end + header.vendor_code_size > len(self.data):
            self._find(at + 28, f"{title}UpdateVendorCodeSize", "leads beyond the file")
        if any(start < other_end and other < end for other, other_end in self.payloads):
            self._find(at, f"{title}payload", "overlaps another one")
        self.payloads.append((start, end))
        self.known.append((start, end + header.vendor_code_size))
        if self._authenticated(header, start, end):
            start = self._authentication(title, start, end)
        self._image(title, start, end)

    def _authenticated(self, header: AnyImageHeader, start: int, end: int) -> bool:
        """Whether a signature comes first. Before version 3 nothing says so but its own header."""
        if isinstance(header, ImageHeader):
            return bool(header.support & SUPPORT_AUTHENTICATION)
        raw = self.data[start : min(end, start + ImageAuthentication.size())]
        if len(raw) < ImageAuthentication.size():
            return False
        found = ImageAuthentication.parse(raw)
        return found.kind == WIN_CERT_TYPE_EFI_GUID and found.revision == WIN_CERT_REVISION_2_0

    def _authentication(self, title: str, at: int, end: int) -> int:
        """The authentication header and the signature; returns where they end."""
        header = self._record(ImageAuthentication, at, title)
        if header is None:
            return end
        for offset, name, value, right in (
            (12, "AuthInfo.Hdr.wRevision", header.revision, WIN_CERT_REVISION_2_0),
            (14, "AuthInfo.Hdr.wCertificateType", header.kind, WIN_CERT_TYPE_EFI_GUID),
        ):
            if value != right:
                self._find(at + offset, title + name, f"is {value:#x}, must be {right:#x}")
        start = at + header.size()
        size = header.length - CERTIFICATE_HEADER_SIZE
        length = f"{title}AuthInfo.Hdr.dwLength"
        if size <= 0:
            self._find(at + 8, length, "leaves nothing for a signature")
            return start
        if start + size > end:
            self._find(at + 8, length, f"leads {start + size - end} beyond the payload")
        stop = min(start + size, end)
        self._signature(title, header, start, stop)
        return stop

    def _signature(self, title: str, header: ImageAuthentication, start: int, end: int) -> None:
        text = f"{end - start} bytes"
        pkcs7 = header.cert_type == CERT_TYPE_PKCS7
        field = Field(start, "AuthInfo.CertData", text, "PKCS#7" if pkcs7 else "not decoded")
        self.parts.append(Part(f"{title}signature", start, (field,)))
        if not pkcs7:
            text = f"is {header.cert_type}; U-Boot takes PKCS#7 only"
            self._find(start - 16, f"{title}AuthInfo.CertType", text)
        elif end - start > SHOWN_SIGNATURE:
            text = f"is longer than {SHOWN_SIGNATURE} and is not decoded"
            self._find(start, f"{title}AuthInfo.CertData", text)
        elif end > start:
            parts, findings = self.describe_signature(self.data[start:end], start)
            self.parts += [Part(title + p.title, p.offset, p.fields) for p in parts]
            self.findings += [Finding(f.offset, title + f.field, f.text) for f in findings]

    def _image(self, title: str, at: int, end: int) -> None:
        if self.data[at : min(at + 4, end)] == b"MSS1":
            header = self._record(PayloadHeader, at, title)
            if header is None:
                return
            if header.header_size != header.size():
                text = f"is {header.header_size}, not {header.size()}; U-Boot does not check it"
                self._find(at + 4, f"{title}HeaderSize", text)
            at = min(at + max(header.header_size, header.size()), end)
        head = self.data[at : min(at + MAGIC_SIZE, end)]
        kind = image_kind(head)
        if kind == "a device tree or FIT" and len(head) >= 8:
            total = int.from_bytes(head[4:8], "big")
            kind += f" of {total} bytes"
            if total > end - at:
                self._find(at + 4, f"{title}totalsize", f"of the FIT is {total}, too large")
        if at >= end:
            self._find(at, f"{title}image", "is empty")
        self.parts.append(
            Part(f"{title}image", at, (Field(at, "image", f"{end - at} bytes", kind),))
        )

    def _record(self, record: type[R], at: int, title: str = "") -> R | None:
        """Read and explain a structure; None when it is not whole."""
        fields = []
        for slot in layout(record):
            start = at + slot.offset
            raw = self.data[start : start + slot.wire.size]
            if len(raw) < slot.wire.size:
                missing = slot.wire.size - len(raw)
                text = f"is cut off: {missing} of {slot.wire.size} bytes are missing"
                self._find(start, f"{title}{slot.wire.name}", text)
                break
            value = slot.wire.unpack(raw)
            said = meaning(record.spec_name, slot.wire.name, value)
            shown = value if isinstance(value, int) else str(value)
            shown = value.hex(" ") if isinstance(value, bytes) else shown
            fields.append(Field(start, slot.wire.name, shown, said))
        if fields:
            self.parts.append(Part(title + record.spec_name, at, tuple(fields)))
        self.known.append((at, at + record.size()))
        return record.parse(self.data, at) if len(fields) == len(layout(record)) else None

    def _gaps(self, image_size: int) -> None:
        """Bytes of the capsule that no field leads to."""
        at = 0
        limit = min(image_size, len(self.data))
        for start, end in [*sorted(self.known), (limit, limit)]:
            if at < start <= limit:
                self._find(at, "capsule", f"has {start - at} bytes here that no field leads to")
            at = max(at, end)

    def _find(self, offset: int, field: str, text: str) -> None:
        self.findings.append(Finding(offset, field, text))
