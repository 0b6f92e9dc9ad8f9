"""What the value of a field means: one table, field by field, from the UEFI specification 2.10."""

from collections.abc import Callable
from typing import Any

from ubtest.formats.guid import (
    APTIO_SIGNED_CAPSULE,
    APTIO_UNSIGNED_CAPSULE,
    EDK2_CAPSULE,
    FMP_CAPSULE,
    FW_ACCEPT,
    FW_REVERT,
    INTEL_CAPSULE,
    JSON_CAPSULE,
    UX_CAPSULE,
    Guid,
)
from ubtest.formats.image_types import IMAGE_TYPES

# CapsuleGuid -> what such a file is
KINDS = {
    FMP_CAPSULE: "a firmware management capsule",
    FW_ACCEPT: "U-Boot's FWU: the operating system accepts an image that was updated",
    FW_REVERT: "U-Boot's FWU: the operating system asks for the firmware from before",
    UX_CAPSULE: "a picture to show during an update (Windows, fwupd)",
    JSON_CAPSULE: "a JSON configuration capsule",
    EDK2_CAPSULE: "EDK2's capsule of firmware volumes",
    INTEL_CAPSULE: "Intel's capsule of firmware volumes",
    APTIO_SIGNED_CAPSULE: "AMI Aptio's capsule, signed",
    APTIO_UNSIGNED_CAPSULE: "AMI Aptio's capsule, unsigned",
}

CAPSULE_FLAGS = {
    0x00010000: "PERSIST_ACROSS_RESET",
    0x00020000: "POPULATE_SYSTEM_TABLE",
    0x00040000: "INITIATE_RESET",
}
FW_ACCEPT_OS = 0x8000  # U-Boot's use of a bit that the specification leaves to the GUID
SUPPORT_FLAGS = {1: "AUTHENTICATION", 2: "DEPENDENCY"}
IMAGE_HEADER_VERSIONS = {
    1: "the first; no instance, no ImageCapsuleSupport",
    2: "with UpdateHardwareInstance, no ImageCapsuleSupport; U-Boot takes 3 only",
    3: "with UpdateHardwareInstance and ImageCapsuleSupport",
}


def flag_names(value: int, names: dict[int, str]) -> str:
    """The names of the bits that are set; the rest as a number."""
    found = [name for bit, name in names.items() if value & bit]
    rest = value & ~sum(names)
    return " | ".join(found + ([f"{rest:#x}"] if rest else []))


def _capsule_flags(value: int) -> str:
    shown = flag_names(value & ~0xFFFF, CAPSULE_FLAGS)
    if own := value & 0xFFFF:
        note = "FW_ACCEPT_OS to U-Boot's FWU: an accept capsule must follow"
        shown += f"; bits 0-15: {own:#x}" + (f" ({note})" if own & FW_ACCEPT_OS else "")
    return shown.removeprefix("; ")


def _guid_name(guid: Guid) -> str:
    return guid.name or "not one that is known here"


MEANINGS: dict[str, Callable[[Any], str]] = {
    "CapsuleGuid": _guid_name,
    "HeaderSize": lambda size: "bytes of this header",
    "Flags": _capsule_flags,
    "CapsuleImageSize": lambda size: "bytes of the whole capsule",
    "EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER.Version": lambda version: "",
    "EmbeddedDriverCount": lambda count: "U-Boot passes over drivers" if count else "",
    "PayloadItemCount": lambda count: "" if count else "U-Boot reports success and writes nothing",
    "EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER.Version": lambda version: (
        IMAGE_HEADER_VERSIONS.get(version, "unknown; shown as 3")
    ),
    "UpdateImageTypeId": lambda guid: IMAGE_TYPES.get(guid, "of no board that is known here"),
    "UpdateImageSize": lambda size: "bytes behind this header, signature included",
    "UpdateVendorCodeSize": lambda size: "bytes behind the image" if size else "",
    "UpdateHardwareInstance": lambda number: "" if number else "any",
    "ImageCapsuleSupport": lambda bits: flag_names(bits, SUPPORT_FLAGS) or "not signed",
    "MonotonicCount": lambda count: "signed with the image; U-Boot does not keep it",
    "AuthInfo.Hdr.dwLength": lambda size: f"24 of header, {size - 24} of signature",
    "AuthInfo.Hdr.wRevision": lambda value: f"{value >> 8}.{value & 0xFF}",
    "AuthInfo.Hdr.wCertificateType": lambda value: (
        "WIN_CERT_TYPE_EFI_GUID" if value == 0x0EF1 else ""
    ),
    "AuthInfo.CertType": _guid_name,
    "FMP_PAYLOAD_HEADER.Signature": lambda value: '"MSS1"',
    "FMP_PAYLOAD_HEADER.HeaderSize": lambda size: "bytes up to the image",
    "FwVersion": lambda version: "U-Boot keeps it in FmpStateXXXX",
    "LowestSupportedVersion": lambda version: "U-Boot takes it from its device tree, not from here",
    "ImageTypeId": lambda guid: IMAGE_TYPES.get(guid, "of no board that is known here"),
}


def meaning(structure: str, name: str, value: Any) -> str:
    """What a value says; empty when nothing is known about it."""
    say = MEANINGS.get(f"{structure}.{name}") or MEANINGS.get(name)
    return say(value) if say else ""


# How an image starts -> what it is
_MAGICS = (
    (0, b"\xd0\x0d\xfe\xed", "a device tree or FIT"),
    (0, b"\x7fELF", "an ELF file"),
    (0, b"MZ", "a PE file"),
    (0, b"\x27\x05\x19\x56", "a legacy uImage"),
    (0, b"\x01\x00\x64\xaa", "a FIP of Trusted Firmware-A"),
    (0, b"\x1f\x8b", "gzip data"),
    (40, b"_FVH", "an EFI firmware volume"),
)
MAGIC_SIZE = 44


def image_kind(head: bytes) -> str:
    """What an image is by its first :data:`MAGIC_SIZE` bytes; "raw" when they do not say."""
    for offset, magic, kind in _MAGICS:
        if head[offset : offset + len(magic)] == magic:
            return kind
    return "raw"
