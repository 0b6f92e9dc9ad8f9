"""What U-Boot asks of a capsule's headers, in the order in which it asks.

Each rule names the function in `lib/efi_loader` of U-Boot 2025.01 that it is taken from. This is
the path from disk: `efidebug capsule update` looks less closely at the file, and more at
HeaderSize. Whether the signature is good is a question for `crypto`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from ubtest.formats import status
from ubtest.formats.capsule import CapsuleHeader, FmpCapsuleHeader, ItemOffset
from ubtest.formats.fmp import (
    CERTIFICATE_HEADER_SIZE,
    SUPPORT_AUTHENTICATION,
    ImageAuthentication,
    ImageHeader,
    PayloadHeader,
)
from ubtest.formats.guid import CERT_TYPE_PKCS7, FMP_CAPSULE, Guid
from ubtest.formats.record import Bytes, FormatError

T = TypeVar("T")

READ_FILE = "efi_capsule_read_file"
UPDATE = "efi_capsule_update_firmware"
FIND = "efi_fmp_find"
AUTHENTICATE = "efi_capsule_authenticate"
VERSION = "efi_firmware_verify_image"


@dataclass(frozen=True)
class Target:
    """What is known about the firmware that shall take the capsule; None: not known, so not asked.

    :param image: UpdateImageTypeId and UpdateImageIndex of its image.
    :param lowest_version: lowest-supported-version in its device tree.
    """

    image: tuple[Guid, int] | None = None
    lowest_version: int | None = None


@dataclass(frozen=True)
class Rule(Generic[T]):
    """One check.

    :param status: EFI_STATUS of CapsuleXXXX when it fails; None: there is no CapsuleXXXX then.
    :param where: the function of U-Boot.
    :param broken: what is wrong, with the field's name; None when nothing is.
    :param note: what else happens then.
    """

    name: str
    status: int | None
    where: str
    broken: Callable[[T], str | None]
    note: str = ""


@dataclass(frozen=True)
class Refusal:
    """A rule that a capsule breaks, and how."""

    rule: str
    status: int | None
    where: str
    detail: str
    note: str = ""


def refusal(rules: Iterable[Rule[T]], subject: T) -> Refusal | None:
    """The first rule that is broken.

    :raises FormatError: a rule has to look where the file has ended; U-Boot does not notice.
    """
    for rule in rules:
        if detail := rule.broken(subject):
            return Refusal(rule.name, rule.status, rule.where, detail, rule.note)
    return None


class OuterHeaders:
    """The headers of a capsule, found the way U-Boot finds them."""

    def __init__(self, data: Bytes) -> None:
        self.data = data

    @cached_property
    def header(self) -> CapsuleHeader:
        return CapsuleHeader.parse(self.data)

    @cached_property
    def management(self) -> FmpCapsuleHeader:
        return FmpCapsuleHeader.parse(self.data, self.header.header_size)

    @property
    def items(self) -> range:
        """The entries of the offset list that are payloads."""
        first = self.management.embedded_driver_count
        return range(first, first + self.management.payload_item_count)


class Item:
    """One payload, found the way U-Boot finds it.

    :param number: its entry in the offset list.
    """

    def __init__(self, outer: OuterHeaders, number: int, target: Target) -> None:
        self.outer = outer
        self.number = number
        self.target = target
        self.data = outer.data
        self.base = outer.header.header_size

    @cached_property
    def offset(self) -> int:
        at = self.base + FmpCapsuleHeader.size() + ItemOffset.size() * self.number
        return ItemOffset.parse(self.data, at).offset

    @cached_property
    def at(self) -> int:
        """Where its image header starts."""
        # U-Boot adds in 64 bits: a large offset leads back
        at = self.base + (self.offset if self.offset < 1 << 63 else self.offset - (1 << 64))
        if at < 0:
            raise FormatError(f"ItemOffsetList[{self.number}] leads {-at} bytes before the file")
        return at

    @cached_property
    def header(self) -> ImageHeader:
        return ImageHeader.parse(self.data, self.at)

    @property
    def body(self) -> int:
        """Where what follows the image header starts."""
        return self.at + self.header.size()

    @property
    def end(self) -> int:
        """Where the payload ends by its own account."""
        return self.body + self.header.image_size

    @cached_property
    def authentication(self) -> ImageAuthentication:
        return ImageAuthentication.parse(self.data, self.body)

    @property
    def signature(self) -> tuple[int, int]:
        """Start and end of the signature."""
        start = self.body + ImageAuthentication.size()
        return start, start + self.authentication.length - CERTIFICATE_HEADER_SIZE

    @property
    def version(self) -> tuple[int, int]:
        """Version and size of the MSS1 header; 0 and 0 without one."""
        start = self.signature[1]
        if self.data[start : min(start + 4, self.end)] != b"MSS1":
            return 0, 0
        header = PayloadHeader.parse(self.data, start)
        return header.fw_version, header.header_size


def _when(broken: bool, detail: str) -> str | None:
    return detail if broken else None


def _file_is_whole(outer: OuterHeaders) -> str | None:
    size, needed = len(outer.data), CapsuleHeader.size()
    if size < needed:
        return f"the file has {size} bytes, its header alone has {needed}"
    wanted = outer.header.image_size
    return _when(size < wanted, f"CapsuleImageSize is {wanted}, the file has {size} bytes")


def _offset_fits(item: Item) -> str | None:
    size = item.outer.header.image_size - item.base
    end = (item.offset + ImageHeader.size()) % (1 << 64)
    return _when(
        end >= size, f"ItemOffsetList[{item.number}] is {item.offset:#x}, {size:#x} bytes are there"
    )


def _image_is_known(item: Item) -> str | None:
    header, wanted = item.header, item.target.image
    if header.hardware_instance not in (0, 1):
        return f"UpdateHardwareInstance is {header.hardware_instance}; U-Boot's images have 1"
    if wanted and header.image_type != wanted[0]:
        return f"UpdateImageTypeId is {header.image_type}, the firmware's is {wanted[0]}"
    if wanted and header.index != wanted[1]:
        return f"UpdateImageIndex is {header.index}, the firmware's is {wanted[1]}"
    return None


def _authentication_fits(item: Item) -> str | None:
    size, needed = item.header.image_size, ImageAuthentication.size()
    if size < needed:
        return f"UpdateImageSize is {size}, the authentication header alone has {needed}"
    length = item.authentication.length
    return _when(
        length <= CERTIFICATE_HEADER_SIZE, f"AuthInfo.Hdr.dwLength is {length}: no signature"
    )


def _sizes_stay_inside(item: Item) -> str | None:
    """U-Boot has no such check; it hashes what is not the image, and no signature matches that."""
    if item.end > len(item.data):
        return f"UpdateImageSize leads {item.end - len(item.data)} beyond the file"
    end = item.signature[1]
    return _when(end > item.end, f"AuthInfo.Hdr.dwLength leads {end - item.end} beyond the payload")


def _version_is_enough(item: Item) -> str | None:
    (version, _), lowest = item.version, item.target.lowest_version or 0
    return _when(version < lowest, f"FwVersion is {version}, the firmware wants {lowest}")


OUTER_RULES: tuple[Rule[OuterHeaders], ...] = (
    Rule(
        "file is whole",
        None,
        READ_FILE,
        _file_is_whole,
        "the file is deleted, and there is no CapsuleXXXX",
    ),
    Rule(
        "capsule type",
        status.UNSUPPORTED,
        UPDATE,
        lambda o: _when(o.header.guid != FMP_CAPSULE, f"CapsuleGuid is {o.header.guid}"),
    ),
    Rule(
        "header size",
        status.INVALID_PARAMETER,
        UPDATE,
        lambda o: _when(
            not FmpCapsuleHeader.size() <= o.header.header_size < o.header.image_size,
            f"HeaderSize is {o.header.header_size}",
        ),
    ),
    Rule(
        "management header version",
        status.UNSUPPORTED,
        UPDATE,
        lambda o: _when(
            o.management.version != 1,
            f"Version at {o.header.header_size:#x} is {o.management.version:#x}, must be 1",
        ),
    ),
)
PAYLOAD_RULES: tuple[Rule[Item], ...] = (
    Rule("item offset", status.INVALID_PARAMETER, UPDATE, _offset_fits),
    Rule(
        "image header version",
        status.UNSUPPORTED,
        UPDATE,
        lambda i: _when(i.header.version != 3, f"Version is {i.header.version:#x}, must be 3"),
    ),
    Rule("image is known", status.UNSUPPORTED, FIND, _image_is_known),
    Rule(
        "signed at all",
        status.SECURITY_VIOLATION,
        UPDATE,
        lambda i: _when(
            not i.header.support & SUPPORT_AUTHENTICATION,
            f"ImageCapsuleSupport is {i.header.support:#x}: not signed",
        ),
    ),
    Rule("signature size", status.SECURITY_VIOLATION, "efi_remove_auth_hdr", _authentication_fits),
    Rule(
        "signature type",
        status.SECURITY_VIOLATION,
        AUTHENTICATE,
        lambda i: _when(
            i.authentication.cert_type != CERT_TYPE_PKCS7,
            f"AuthInfo.CertType is {i.authentication.cert_type}",
        ),
    ),
    Rule(
        "sizes",
        status.SECURITY_VIOLATION,
        AUTHENTICATE,
        _sizes_stay_inside,
        "2025.01 does not look at the size: it hashes on, and crashes where the memory ends",
    ),
)
# After the signature was found good
VERSION_RULES: tuple[Rule[Item], ...] = (
    Rule("lowest supported version", status.INVALID_PARAMETER, VERSION, _version_is_enough),
)
