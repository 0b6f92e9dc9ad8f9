"""The capsule file: outer header, firmware management header and the payloads in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

from ubtest.formats.efitime import EfiTime
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import FMP_CAPSULE, Guid, GuidWire
from ubtest.formats.record import U16, U32, U64, FormatError, Nested, Record

__all__ = ["Capsule", "CapsuleHeader", "CapsuleResult", "FmpCapsuleHeader", "FmpPayload"]

PERSIST_ACROSS_RESET = 0x00010000
POPULATE_SYSTEM_TABLE = 0x00020000
INITIATE_RESET = 0x00040000
ITEM_OFFSET = U64("ItemOffsetList")


@dataclass(frozen=True)
class CapsuleHeader(Record):
    """The outer header (UEFI 2.10 section 8.5.3.1).

    :param image_size: bytes of the whole capsule, this header included.
    """

    spec_name = "EFI_CAPSULE_HEADER"

    guid: Annotated[Guid, GuidWire("CapsuleGuid")]
    header_size: Annotated[int, U32("HeaderSize")]
    flags: Annotated[int, U32("Flags")]
    image_size: Annotated[int, U32("CapsuleImageSize")]


@dataclass(frozen=True)
class FmpCapsuleHeader(Record):
    """How many items follow; their 64-bit offsets come right behind (UEFI 2.10 section 23.3.1)."""

    spec_name = "EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER"

    version: Annotated[int, U32("Version")]
    embedded_driver_count: Annotated[int, U16("EmbeddedDriverCount")]
    payload_item_count: Annotated[int, U16("PayloadItemCount")]


@dataclass(frozen=True)
class ItemOffset(Record):
    """One entry of the offset list, as a record so that a short file is reported like any other."""

    spec_name = "EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER"

    offset: Annotated[int, ITEM_OFFSET]


@dataclass(frozen=True)
class CapsuleResult(Record):
    """What became of a capsule: the variable CapsuleXXXX (UEFI 2.10 section 8.5.6), in the
    0x30 bytes that U-Boot writes (`set_capsule_result`, lib/efi_loader/efi_capsule.c).

    :param reserved: U-Boot does not set it; do not compare it.
    :param status: an EFI_STATUS, 64 bits: bit 63 marks an error.
    """

    spec_name = "EFI_CAPSULE_RESULT_VARIABLE_HEADER"

    total_size: Annotated[int, U32("VariableTotalSize")]
    reserved: Annotated[int, U32("Reserved")]
    guid: Annotated[Guid, GuidWire("CapsuleGuid")]
    processed: Annotated[EfiTime, Nested("CapsuleProcessed", EfiTime)]
    status: Annotated[int, U64("CapsuleStatus")]


@dataclass(frozen=True)
class Capsule:
    """A whole capsule: a good one by default, and any broken one by `dataclasses.replace()`.

    A field that is None is computed when packed.

    :param payloads: written one after the other, without gaps.
    :param item_offsets: from the start of the firmware management header, in bytes.
    :param trailing: bytes behind the last payload that no size counts.
    """

    payloads: tuple[FmpPayload, ...]
    flags: int = PERSIST_ACROSS_RESET
    guid: Guid = FMP_CAPSULE

    header_size: int | None = None
    image_size: int | None = None
    fmp_version: int = 1
    embedded_driver_count: int = 0
    payload_item_count: int | None = None
    item_offsets: tuple[int, ...] | None = None
    trailing: bytes = b""

    def pack(self) -> bytes:
        """The bytes of the capsule file.

        :raises FormatError: a value does not fit into its field.
        """
        packed = [payload.pack() for payload in self.payloads]
        offsets = self._offsets(packed)
        return b"".join(
            (
                self._header(packed, offsets).pack(),
                self._fmp_header().pack(),
                *map(ITEM_OFFSET.pack, offsets),
                *packed,
                self.trailing,
            )
        )

    def dump(self) -> Iterator[str]:
        """Lines for a human: every header with the offset of each field."""
        packed = [payload.pack() for payload in self.payloads]
        offsets = self._offsets(packed)
        yield from self._header(packed, offsets).dump()
        at = CapsuleHeader.size()
        yield from self._fmp_header().dump(at)
        at += FmpCapsuleHeader.size()
        for offset in offsets:
            yield f"  {at:#06x}  {ITEM_OFFSET.name:<24} {ITEM_OFFSET.show(offset)}"
            at += ITEM_OFFSET.size
        for payload, raw in zip(self.payloads, packed, strict=True):
            yield from payload.dump(at)
            at += len(raw)

    @classmethod
    def parse(cls, data: bytes) -> "Capsule":
        """Read a capsule without losing a byte: `Capsule.parse(data).pack() == data`.

        :raises FormatError: data too short, sizes that do not lead to the parts, or bytes that
            no field accounts for (embedded drivers, gaps, a longer outer header).
        """
        header = CapsuleHeader.parse(data)
        base = header.size()
        fmp = FmpCapsuleHeader.parse(data, base)
        at = base + fmp.size()
        offsets = []
        for _ in range(fmp.payload_item_count):
            offsets.append(ItemOffset.parse(data, at).offset)
            at += ITEM_OFFSET.size
        payloads = []
        for offset in offsets:
            payloads.append(FmpPayload.parse(data, base + offset))
            at += len(payloads[-1].pack())
        capsule = cls(
            tuple(payloads),
            header.flags,
            header.guid,
            header_size=None if header.header_size == header.size() else header.header_size,
            image_size=None if header.image_size == at else header.image_size,
            fmp_version=fmp.version,
            embedded_driver_count=fmp.embedded_driver_count,
            trailing=data[at:],
        )
        if capsule.pack() != data:
            raise FormatError(
                f"{header.spec_name}: bytes that no field accounts for "
                "(embedded drivers, gaps between the parts, or a longer header)"
            )
        return capsule

    def _offsets(self, packed: list[bytes]) -> tuple[int, ...]:
        if self.item_offsets is not None:
            return self.item_offsets
        first = FmpCapsuleHeader.size() + ITEM_OFFSET.size * len(packed)
        return tuple(accumulate(map(len, packed[:-1]), initial=first))[: len(packed)]

    def _header(self, packed: list[bytes], offsets: tuple[int, ...]) -> CapsuleHeader:
        size = (
            CapsuleHeader.size()
            + FmpCapsuleHeader.size()
            + ITEM_OFFSET.size * len(offsets)
            + sum(map(len, packed))
        )
        return CapsuleHeader(
            self.guid,
            CapsuleHeader.size() if self.header_size is None else self.header_size,
            self.flags,
            size if self.image_size is None else self.image_size,
        )

    def _fmp_header(self) -> FmpCapsuleHeader:
        count = self.payload_item_count
        return FmpCapsuleHeader(
            self.fmp_version,
            self.embedded_driver_count,
            len(self.payloads) if count is None else count,
        )
