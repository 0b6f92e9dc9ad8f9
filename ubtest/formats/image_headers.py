"""EFI_FIRMWARE_MANAGEMENT_CAPSULE_IMAGE_HEADER as it grew; version 3 is in `fmp`.

EDK2 and vendors' tools still write the older ones (UEFI 2.10 section 23.3.2 lists what came when).
"""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.fmp import ImageHeader
from ubtest.formats.guid import Guid, GuidWire
from ubtest.formats.record import U8, U32, U64, Raw, Record


@dataclass(frozen=True)
class ImageHeader1(Record):
    """Version 1."""

    spec_name = ImageHeader.spec_name

    version: Annotated[int, U32("Version")]
    image_type: Annotated[Guid, GuidWire("UpdateImageTypeId")]
    index: Annotated[int, U8("UpdateImageIndex")]
    reserved: Annotated[bytes, Raw("reserved_bytes", 3)]
    image_size: Annotated[int, U32("UpdateImageSize")]
    vendor_code_size: Annotated[int, U32("UpdateVendorCodeSize")]


@dataclass(frozen=True)
class ImageHeader2(ImageHeader1):
    """Version 2."""

    hardware_instance: Annotated[int, U64("UpdateHardwareInstance")]


AnyImageHeader = ImageHeader1 | ImageHeader2 | ImageHeader

# What is neither is read as the one that everybody writes today
IMAGE_HEADERS: dict[int, type[AnyImageHeader]] = {1: ImageHeader1, 2: ImageHeader2}
