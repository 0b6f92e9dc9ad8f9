"""What a firmware management capsule carries: headers, signature and image of one update."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from ubtest.formats.guid import CERT_TYPE_PKCS7, Guid, GuidWire
from ubtest.formats.record import U8, U16, U32, U64, Raw, Record, take

SUPPORT_AUTHENTICATION = 1
WIN_CERT_REVISION_2_0 = 0x0200
WIN_CERT_TYPE_EFI_GUID = 0x0EF1
MSS1 = int.from_bytes(b"MSS1", "little")


@dataclass(frozen=True)
class ImageHeader(Record):
    """Which image a payload is for and how large it is (UEFI 2.10 section 23.3.2)."""

    spec_name = "EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER"

    version: Annotated[int, U32("Version")]
    image_type: Annotated[Guid, GuidWire("UpdateImageTypeId")]
    index: Annotated[int, U8("UpdateImageIndex")]
    reserved: Annotated[bytes, Raw("reserved_bytes", 3)]
    image_size: Annotated[int, U32("UpdateImageSize")]
    vendor_code_size: Annotated[int, U32("UpdateVendorCodeSize")]
    hardware_instance: Annotated[int, U64("UpdateHardwareInstance")]
    support: Annotated[int, U64("ImageCapsuleSupport")]


@dataclass(frozen=True)
class ImageAuthentication(Record):
    """What precedes a signature: EFI_FIRMWARE_IMAGE_AUTHENTICATION with its
    WIN_CERTIFICATE_UEFI_GUID (UEFI 2.10 sections 23.1.4 and 32.2.4).

    :param length: bytes of the certificate with its own 24 bytes of header, without the count.
    """

    spec_name = "EFI_FIRMWARE_IMAGE_AUTHENTICATION"

    monotonic_count: Annotated[int, U64("MonotonicCount")]
    length: Annotated[int, U32("AuthInfo.Hdr.dwLength")]
    revision: Annotated[int, U16("AuthInfo.Hdr.wRevision")]
    kind: Annotated[int, U16("AuthInfo.Hdr.wCertificateType")]
    cert_type: Annotated[Guid, GuidWire("AuthInfo.CertType")]


CERTIFICATE_HEADER_SIZE = ImageAuthentication.size() - 8


@dataclass(frozen=True)
class PayloadHeader(Record):
    """The version header in front of an image: EDK2's, which U-Boot reads as
    `struct fmp_payload_header` (lib/efi_loader/efi_firmware.c)."""

    spec_name = "FMP_PAYLOAD_HEADER"

    signature: Annotated[int, U32("Signature")]
    header_size: Annotated[int, U32("HeaderSize")]
    fw_version: Annotated[int, U32("FwVersion")]
    lowest_supported_version: Annotated[int, U32("LowestSupportedVersion")]


@dataclass(frozen=True)
class FmpState(Record):
    """What U-Boot remembers of an image: one entry per bank in the variable FmpStateXXXX
    (`struct fmp_state`, lib/efi_loader/efi_firmware.c)."""

    spec_name = "FMP_STATE"

    fw_version: Annotated[int, U32("FwVersion")]
    lowest_supported_version: Annotated[int, U32("LowestSupportedVersion")]
    last_attempt_version: Annotated[int, U32("LastAttemptVersion")]
    last_attempt_status: Annotated[int, U32("LastAttemptStatus")]


@dataclass(frozen=True)
class FmpPayload:
    """One update: a good one by default, and any broken one by `dataclasses.replace()`.

    A field that is None is computed when packed. What is not on the wire does not come back from
    `parse`: without a signature that is the monotonic count and the certificate fields, without
    `fw_version` the rest of the version header.

    :param image: the firmware, without any header.
    :param monotonic_count: signed together with the image.
    :param signature: detached PKCS#7 in DER over :meth:`signed_data`; None leaves the
        authentication header away.
    :param fw_version: None leaves the MSS1 header away; U-Boot then takes version 0.
    """

    image_type: Guid
    image: bytes = field(repr=False)
    index: int = 1
    hardware_instance: int = 0
    monotonic_count: int = 1
    signature: bytes | None = field(default=None, repr=False)
    fw_version: int | None = None
    lowest_supported_version: int = 0
    vendor_code: bytes = b""

    header_version: int = 3
    reserved: bytes = bytes(3)
    image_size: int | None = None
    vendor_code_size: int | None = None
    support: int | None = None
    version_header_size: int | None = None
    certificate_length: int | None = None
    certificate_revision: int = WIN_CERT_REVISION_2_0
    certificate_kind: int = WIN_CERT_TYPE_EFI_GUID
    certificate_type: Guid = CERT_TYPE_PKCS7

    @property
    def version_header(self) -> PayloadHeader | None:
        """The MSS1 header, when there is one."""
        if self.fw_version is None:
            return None
        return PayloadHeader(
            MSS1,
            _first(self.version_header_size, PayloadHeader.size()),
            self.fw_version,
            self.lowest_supported_version,
        )

    @property
    def authentication(self) -> ImageAuthentication | None:
        """The header in front of the signature, when there is one."""
        if self.signature is None:
            return None
        return ImageAuthentication(
            self.monotonic_count,
            _first(self.certificate_length, CERTIFICATE_HEADER_SIZE + len(self.signature)),
            self.certificate_revision,
            self.certificate_kind,
            self.certificate_type,
        )

    @property
    def header(self) -> ImageHeader:
        """The header of the whole payload."""
        signed = SUPPORT_AUTHENTICATION if self.signature is not None else 0
        return ImageHeader(
            self.header_version,
            self.image_type,
            self.index,
            self.reserved,
            _first(self.image_size, sum(map(len, self._body()))),
            _first(self.vendor_code_size, len(self.vendor_code)),
            self.hardware_instance,
            _first(self.support, signed),
        )

    def signed_data(self) -> bytes:
        """What a signature covers: version header, image and the 8 bytes of the count.

        U-Boot's order (`efi_capsule_authenticate`, lib/efi_loader/efi_capsule.c), as EDK2's.
        """
        count = self.monotonic_count.to_bytes(8, "little")
        return b"".join((*self._versioned_image(), count))

    def pack(self) -> bytes:
        """The bytes from the image header to the end of the vendor code.

        :raises FormatError: a value does not fit into its field.
        """
        return b"".join((self.header.pack(), *self._body(), self.vendor_code))

    def dump(self, offset: int = 0) -> Iterator[str]:
        """Lines for a human; see :meth:`Record.dump`."""
        for record in (self.header, self.authentication, self.version_header):
            if record is None:
                continue
            yield from record.dump(offset)
            offset += record.size()
            if isinstance(record, ImageAuthentication):
                assert self.signature is not None
                yield f"  {offset:#06x}  {'AuthInfo.CertData':<24} {len(self.signature)} bytes"
                offset += len(self.signature)
        yield f"  {offset:#06x}  {'image':<24} {len(self.image)} bytes"

    @classmethod
    def parse(cls, data: bytes, offset: int = 0) -> "FmpPayload":
        """Read a payload the way the firmware does: by its sizes.

        :raises FormatError: a size leads beyond the data, or beyond what holds it.
        """
        header = ImageHeader.parse(data, offset)
        start = offset + header.size()
        body = take(data, start, header.image_size, "UpdateImage")
        vendor_code = take(data, start + len(body), header.vendor_code_size, "VendorCode")
        authentication, signature = None, None
        if header.support & SUPPORT_AUTHENTICATION:
            authentication = ImageAuthentication.parse(body)
            size = authentication.length - CERTIFICATE_HEADER_SIZE
            signature = take(body, authentication.size(), size, "AuthInfo.CertData")
            body = body[authentication.size() + size :]
        version = None
        if body.startswith(b"MSS1"):
            version = PayloadHeader.parse(body)
            body = body[version.size() :]
        return cls(
            header.image_type,
            body,
            header.index,
            header.hardware_instance,
            authentication.monotonic_count if authentication else 1,
            signature,
            version.fw_version if version else None,
            version.lowest_supported_version if version else 0,
            vendor_code,
            header_version=header.version,
            reserved=header.reserved,
            support=_unless(header.support, SUPPORT_AUTHENTICATION if authentication else 0),
            version_header_size=(_unless(version.header_size, version.size()) if version else None),
            certificate_revision=(
                authentication.revision if authentication else WIN_CERT_REVISION_2_0
            ),
            certificate_kind=authentication.kind if authentication else WIN_CERT_TYPE_EFI_GUID,
            certificate_type=authentication.cert_type if authentication else CERT_TYPE_PKCS7,
        )

    def _versioned_image(self) -> tuple[bytes, ...]:
        header = self.version_header
        return (header.pack(), self.image) if header else (self.image,)

    def _body(self) -> tuple[bytes, ...]:
        header = self.authentication
        if header is None or self.signature is None:
            return self._versioned_image()
        return (header.pack(), self.signature, *self._versioned_image())


def _first(override: int | None, computed: int) -> int:
    return computed if override is None else override


def _unless(value: int, computed: int) -> int | None:
    """The override that leads to a value: none when it is what would be computed."""
    return None if value == computed else value
