"""The capsule table, part 1: everything in front of the signature.

Read a row as: a good capsule, but DIFFERS -> STATUS, because WHY. The flash stays as it was unless
the row says `WRITTEN`.
"""

from dataclasses import replace
from typing import Any

from ubtest.cases.capsule_case import (
    ALL,
    BOTH,
    FILE,
    Bench,
    Case,
    Effect,
    Make,
    Path,
    file,
    header,
    outer,
    resigned,
)
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import (
    INITIATE_RESET,
    PERSIST_ACROSS_RESET,
    POPULATE_SYSTEM_TABLE,
    Capsule,
)
from ubtest.formats.guid import CERT_X509, ZERO, Guid
from ubtest.formats.status import (
    INVALID_PARAMETER,
    SECURITY_VIOLATION,
    SUCCESS,
    UNSUPPORTED,
)

WRITTEN = Effect.WRITTEN
MAX32, MAX64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF

CAPSULE = "UEFI 8.5.3.1 EFI_CAPSULE_HEADER"
FMP = "UEFI 23.3.1 EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER"
IMAGE = "UEFI 23.3.2 EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER"
AUTH = "UEFI 23.1.4 EFI_FIRMWARE_IMAGE_AUTHENTICATION"
WIN = "UEFI 32.2.4 WIN_CERTIFICATE_UEFI_GUID"
MSS1 = "U-Boot efi_firmware.c, struct fmp_payload_header"

UX_CAPSULE = Guid.of("3b8c8162-188c-46a4-aec9-be43f1d65697")  # a boot logo for updates
RSA2048_SHA256 = Guid.of("a7717414-c616-4977-9420-844712a735bf")


def _flipped(guid: Guid) -> Guid:
    return Guid(guid.wire[:-1] + bytes([guid.wire[-1] ^ 1]))


def _two(first: dict[str, Any], second: dict[str, Any]) -> Make:
    """Two payloads, the good one with these fields changed after it was signed."""

    def make(bench: Bench) -> bytes:
        good = bench.payload
        return Capsule((replace(good, **first), replace(good, **second))).pack()

    return make


def _offset(move: int) -> Make:
    """The item offset moved, or set when it is not small."""
    return outer(item_offsets=((16 + move) % (1 << 64),))


def _offset_from_end(distance: int) -> Make:
    """The item offset at a distance before the end of the capsule."""

    def make(bench: Bench) -> bytes:
        size = len(bench.capsule.pack()) - 28
        return replace(bench.capsule, item_offsets=(size - distance,)).pack()

    return make


def _image_size(add: int) -> Make:
    """UpdateImageSize more or less than what is there."""

    def make(bench: Bench) -> bytes:
        payload = bench.payload
        return Capsule((replace(payload, image_size=payload.header.image_size + add),)).pack()

    return make


def _certificate_length(add: int) -> Make:
    """dwLength more or less than what is there."""

    def make(bench: Bench) -> bytes:
        length = 24 + len(bench.signature) + add
        return Capsule((replace(bench.payload, certificate_length=length),)).pack()

    return make


def _with_driver(bench: Bench) -> bytes:
    """An item of four bytes in front of the payload, counted as an embedded driver."""
    payload = bench.payload.pack()
    driver = b"MZ\0\0"
    capsule = replace(
        bench.capsule, embedded_driver_count=1, payload_item_count=1, item_offsets=(24, 28)
    )
    size = len(capsule.pack()) + len(driver)
    headers = replace(capsule, image_size=size).pack()[: -len(payload)]
    return headers + driver + payload


# fmt: off
OUTER = (
    Case("CapsuleGuid all zero", outer(guid=ZERO), UNSUPPORTED, CAPSULE, paths=ALL,
         bug="outer-guid-on-disk", bug_on=FILE),
    Case("CapsuleGuid one bit off", outer(guid=_flipped(Capsule(()).guid)), UNSUPPORTED, CAPSULE),
    Case("CapsuleGuid of a UX capsule", outer(guid=UX_CAPSULE), UNSUPPORTED, CAPSULE),
    Case("HeaderSize 0", outer(header_size=0), INVALID_PARAMETER, CAPSULE, paths=ALL,
         bug="update-capsule-skips", bug_on=Path.MEMORY),
    Case("HeaderSize 4", outer(header_size=4), INVALID_PARAMETER, CAPSULE,
         bug="update-capsule-skips"),
    Case("HeaderSize 7", outer(header_size=7), INVALID_PARAMETER, CAPSULE, paths=BOTH,
         bug="update-capsule-skips", bug_on=Path.MEMORY),
    Case("HeaderSize 8, less than the header", outer(header_size=8), UNSUPPORTED, CAPSULE,
         paths=Path.DISK),
    Case("HeaderSize 27, one less", outer(header_size=27), UNSUPPORTED, CAPSULE, paths=Path.DISK),
    Case("HeaderSize 29, one more", outer(header_size=29), UNSUPPORTED, CAPSULE, paths=BOTH),
    Case("HeaderSize 32, four more", outer(header_size=32), UNSUPPORTED, CAPSULE),
    Case("HeaderSize of the whole capsule",
         lambda bench: replace(bench.capsule, header_size=len(bench.capsule.pack())).pack(),
         INVALID_PARAMETER, CAPSULE, paths=BOTH),
    Case("HeaderSize beyond the capsule", outer(header_size=0x7FFFFFFF), INVALID_PARAMETER, CAPSULE),
    Case("HeaderSize all ones", outer(header_size=MAX32), INVALID_PARAMETER, CAPSULE),
    Case("Flags none", outer(flags=0), SUCCESS, CAPSULE, WRITTEN),
    Case("Flags populate", outer(flags=PERSIST_ACROSS_RESET | POPULATE_SYSTEM_TABLE), SUCCESS,
         CAPSULE, WRITTEN),
    Case("Flags reset", outer(flags=PERSIST_ACROSS_RESET | INITIATE_RESET), SUCCESS, CAPSULE, WRITTEN),
    Case("Flags of the GUID's own, all set", outer(flags=PERSIST_ACROSS_RESET | 0xFFFF), SUCCESS,
         CAPSULE, WRITTEN),
    Case("Flags all ones", outer(flags=MAX32), SUCCESS, "U-Boot checks no flag", WRITTEN),
    Case("CapsuleImageSize 0", outer(image_size=0), INVALID_PARAMETER, CAPSULE,
         bug="update-capsule-skips"),
    Case("CapsuleImageSize 27", outer(image_size=27), INVALID_PARAMETER, CAPSULE,
         bug="update-capsule-skips"),
    Case("CapsuleImageSize 28, the header alone", outer(image_size=28), INVALID_PARAMETER, CAPSULE,
         paths=ALL),
    Case("CapsuleImageSize one more than the file",
         lambda bench: replace(bench.capsule, image_size=len(bench.capsule.pack()) + 1).pack(),
         None, "U-Boot efi_capsule_read_file: no capsule, no result", paths=FILE),
    Case("CapsuleImageSize all ones", outer(image_size=MAX32), None,
         "U-Boot efi_capsule_read_file: no capsule, no result", paths=Path.DISK),
    Case("bytes behind the capsule", outer(trailing=b"more" * 64), SUCCESS,
         "UEFI 8.5.3.1: CapsuleImageSize says where it ends", WRITTEN, paths=ALL),
    Case("cut in the middle of the image", file(lambda raw: raw[:-100]), None,
         "U-Boot efi_capsule_read_file: no capsule, no result", paths=FILE),
)

FMP_HEADER = (
    Case("Version 0", outer(fmp_version=0), UNSUPPORTED, FMP),
    Case("Version 2", outer(fmp_version=2), UNSUPPORTED, FMP, paths=ALL),
    Case("Version all ones", outer(fmp_version=MAX32), UNSUPPORTED, FMP),
    Case("PayloadItemCount 0 over a signed payload", outer(payload_item_count=0, item_offsets=(16,)),
         INVALID_PARAMETER, FMP, paths=ALL, bug="no-payload-is-success"),
    Case("PayloadItemCount 0 and nothing behind", outer(payloads=()), INVALID_PARAMETER, FMP,
         bug="no-payload-is-success"),
    Case("PayloadItemCount 2 of 1: the first is written, then the second has no place",
         outer(payload_item_count=2), INVALID_PARAMETER, FMP, WRITTEN),
    Case("two good payloads", _two({}, {}), SUCCESS, FMP, WRITTEN, paths=ALL),
    Case("a bad payload before a good one", _two({"support": 0}, {}), SECURITY_VIOLATION, FMP,
         paths=ALL),
    Case("a bad payload behind a good one, which is written", _two({}, {"support": 0}),
         SECURITY_VIOLATION, FMP, WRITTEN, paths=ALL),
    Case("an embedded driver, which is passed over", _with_driver, SUCCESS, FMP, WRITTEN),
    Case("EmbeddedDriverCount 1 without one", outer(embedded_driver_count=1), INVALID_PARAMETER, FMP),
    Case("EmbeddedDriverCount all ones", outer(embedded_driver_count=0xFFFF, payload_item_count=1),
         INVALID_PARAMETER, FMP),
    Case("ItemOffset 0, the header itself", outer(item_offsets=(0,)), UNSUPPORTED, FMP, paths=ALL),
    Case("ItemOffset 8, the list itself", outer(item_offsets=(8,)), UNSUPPORTED, FMP),
    Case("ItemOffset one less", _offset(-1), UNSUPPORTED, FMP),
    Case("ItemOffset one more", _offset(1), UNSUPPORTED, FMP),
    Case("ItemOffset four more", _offset(4), UNSUPPORTED, FMP),
    Case("ItemOffset with one byte too little behind it", _offset_from_end(47), INVALID_PARAMETER, FMP),
    Case("ItemOffset with a whole header behind it", _offset_from_end(48 + 1), UNSUPPORTED, FMP),
    Case("ItemOffset at the end", _offset_from_end(0), INVALID_PARAMETER, FMP, paths=ALL),
    Case("ItemOffset beyond the end", _offset_from_end(-1), INVALID_PARAMETER, FMP),
    Case("ItemOffset 2^31", outer(item_offsets=(1 << 31,)), INVALID_PARAMETER, FMP),
    Case("ItemOffset 2^32", outer(item_offsets=(1 << 32,)), INVALID_PARAMETER, FMP),
    Case("ItemOffset 2^63", outer(item_offsets=(1 << 63,)), INVALID_PARAMETER, FMP),
    Case("ItemOffset wraps around to the outer header", outer(item_offsets=((1 << 64) - 28,)),
         UNSUPPORTED, FMP, paths=ALL),
    Case("ItemOffset wraps around by one", outer(item_offsets=(MAX64,)), UNSUPPORTED, FMP),
)

IMAGE_HEADER = (
    Case("Version 0", header(header_version=0), UNSUPPORTED, IMAGE),
    Case("Version 1", header(header_version=1), UNSUPPORTED, IMAGE),
    Case("Version 2", header(header_version=2), UNSUPPORTED, IMAGE, paths=ALL),
    Case("Version 4", header(header_version=4), UNSUPPORTED, IMAGE),
    Case("Version all ones", header(header_version=MAX32), UNSUPPORTED, IMAGE),
    Case("UpdateImageTypeId all zero", header(image_type=ZERO), UNSUPPORTED, IMAGE),
    Case("UpdateImageTypeId unknown", header(image_type=CERT_X509), UNSUPPORTED, IMAGE, paths=ALL),
    Case("UpdateImageTypeId one bit off",
         lambda bench: header(image_type=_flipped(bench.image_type))(bench), UNSUPPORTED, IMAGE),
    Case("UpdateImageIndex 0", header(index=0), UNSUPPORTED, IMAGE, paths=ALL),
    Case("UpdateImageIndex 2", header(index=2), UNSUPPORTED, IMAGE),
    Case("UpdateImageIndex 255", header(index=255), UNSUPPORTED, IMAGE),
    Case("reserved bytes set", header(reserved=b"\xff" * 3), SUCCESS, "U-Boot does not look", WRITTEN),
    Case("UpdateImageSize 0", header(image_size=0), SECURITY_VIOLATION, IMAGE, paths=ALL),
    Case("UpdateImageSize 1", header(image_size=1), SECURITY_VIOLATION, IMAGE),
    Case("UpdateImageSize 31, less than the authentication header", header(image_size=31),
         SECURITY_VIOLATION, IMAGE),
    Case("UpdateImageSize 32, the authentication header alone", header(image_size=32),
         SECURITY_VIOLATION, IMAGE),
    Case("UpdateImageSize one less", _image_size(-1), SECURITY_VIOLATION, IMAGE, paths=BOTH),
    Case("UpdateImageSize one more", _image_size(1), SECURITY_VIOLATION, IMAGE),
    Case("UpdateImageSize without the image", lambda bench: header(
         image_size=32 + len(bench.signature))(bench), SECURITY_VIOLATION, IMAGE),
    Case("UpdateVendorCodeSize more than is there", header(vendor_code_size=100), SUCCESS,
         "U-Boot hands the vendor code on and nobody reads it", WRITTEN),
    Case("UpdateVendorCodeSize all ones", header(vendor_code_size=MAX32), SUCCESS,
         "U-Boot hands the vendor code on and nobody reads it", WRITTEN),
    Case("vendor code", header(vendor_code=b"vendor" * 8), SUCCESS, IMAGE, WRITTEN, paths=ALL),
    Case("UpdateHardwareInstance 1, the descriptor's", header(hardware_instance=1), SUCCESS, IMAGE,
         WRITTEN),
    Case("UpdateHardwareInstance 2", header(hardware_instance=2), UNSUPPORTED, IMAGE, paths=ALL),
    Case("UpdateHardwareInstance all ones", header(hardware_instance=MAX64), UNSUPPORTED, IMAGE),
    Case("ImageCapsuleSupport without authentication, signed all the same", header(support=0),
         SECURITY_VIOLATION, IMAGE, paths=ALL),
    Case("ImageCapsuleSupport with dependencies alone", header(support=2), SECURITY_VIOLATION, IMAGE),
    Case("ImageCapsuleSupport with dependencies", header(support=3), SUCCESS,
         "U-Boot knows no dependencies", WRITTEN),
    Case("ImageCapsuleSupport all ones", header(support=MAX64), SUCCESS,
         "U-Boot looks at bit 0 alone", WRITTEN),
)

AUTHENTICATION_HEADER = (
    Case("MonotonicCount 0", resigned(monotonic_count=0), SUCCESS, AUTH, WRITTEN),
    Case("MonotonicCount all ones", resigned(monotonic_count=MAX64), SUCCESS, AUTH, WRITTEN),
    Case("MonotonicCount one more than signed", header(monotonic_count=2), SECURITY_VIOLATION, AUTH,
         paths=ALL),
    Case("MonotonicCount all ones, not signed", header(monotonic_count=MAX64), SECURITY_VIOLATION, AUTH),
    Case("dwLength 0", header(certificate_length=0), SECURITY_VIOLATION, WIN, paths=ALL),
    Case("dwLength 23, less than its header", header(certificate_length=23), SECURITY_VIOLATION, WIN),
    Case("dwLength 24, no signature", header(certificate_length=24), SECURITY_VIOLATION, WIN),
    Case("dwLength 25, one byte of signature", header(certificate_length=25), SECURITY_VIOLATION, WIN),
    Case("dwLength one less", _certificate_length(-1), SECURITY_VIOLATION, WIN, bug="pkcs7-error-aborts"),
    Case("dwLength one more", _certificate_length(1), SECURITY_VIOLATION, WIN, paths=BOTH, bug="pkcs7-error-aborts"),
    Case("dwLength 8 more", _certificate_length(8), SECURITY_VIOLATION, WIN, bug="pkcs7-error-aborts"),
    Case("wRevision 1.0", header(certificate_revision=0x0100), SUCCESS, "U-Boot does not look",
         WRITTEN),
    Case("wCertificateType PKCS_SIGNED_DATA", header(certificate_kind=0x0002), SUCCESS,
         "U-Boot does not look", WRITTEN),
    Case("CertType all zero", header(certificate_type=ZERO), SECURITY_VIOLATION, WIN, paths=ALL),
    Case("CertType RSA2048_SHA256", header(certificate_type=RSA2048_SHA256), SECURITY_VIOLATION, WIN),
    Case("CertType one bit off",
         header(certificate_type=_flipped(Guid.of("4aafd29d-68df-49ee-8aa9-347d375665a7"))),
         SECURITY_VIOLATION, WIN),
)

PAYLOAD_HEADER = (
    Case("FwVersion 0", resigned(fw_version=0), SUCCESS, MSS1, WRITTEN),
    Case("FwVersion 1", resigned(fw_version=1), SUCCESS, MSS1, WRITTEN, paths=ALL),
    Case("FwVersion all ones", resigned(fw_version=MAX32), SUCCESS, MSS1, WRITTEN),
    Case("FwVersion changed after signing", lambda bench: Capsule((replace(
         signed(bench.keys["trusted"], replace(bench.plain, fw_version=1)), fw_version=2),)).pack(),
         SECURITY_VIOLATION, MSS1, paths=ALL),
    Case("HeaderSize 32 with 16 more bytes in it", lambda bench: resigned(
         fw_version=1, version_header_size=32, image=bytes(16) + bench.image)(bench), SUCCESS, MSS1,
         WRITTEN),
    Case("an image that only starts like a version header",
         lambda bench: resigned(image=b"MSS2" + bench.image)(bench), SUCCESS, MSS1, WRITTEN,
         written=lambda bench: b"MSS2" + bench.image),
)
# fmt: on

HEADERS = {
    "outer": OUTER,
    "fmp": FMP_HEADER,
    "image": IMAGE_HEADER,
    "authentication": AUTHENTICATION_HEADER,
    "version": PAYLOAD_HEADER,
}
