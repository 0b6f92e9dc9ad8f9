"""Device paths: how a boot option says which file of which partition it means
(UEFI 2.10 section 10.3)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.guid import Guid, GuidWire
from ubtest.formats.record import U8, U16, U32, U64, FormatError, Record

MEDIA = 4
HARD_DRIVE, VENDOR_MEDIA, FILE_PATH = 1, 3, 4
FORMAT_GPT, SIGNATURE_GUID = 2, 2
END = bytes.fromhex("7fff0400")  # section 10.3.1


@dataclass(frozen=True)
class PathNode(Record):
    """How every node starts.

    :param length: bytes of the whole node, this header included.
    """

    spec_name = "EFI_DEVICE_PATH_PROTOCOL"

    kind: Annotated[int, U8("Type")]
    subtype: Annotated[int, U8("SubType")]
    length: Annotated[int, U16("Length")]


@dataclass(frozen=True)
class HardDrive(Record):
    """The rest of a node for a GPT partition (section 10.3.5.1).

    A path that starts with it is in the short form: firmware looks for the partition on every
    disk (section 3.1.2). Operating systems write boot options so.

    :param number: of the partition, from 1.
    :param start: its first sector.
    :param sectors: how many it has.
    """

    spec_name = "HARDDRIVE_DEVICE_PATH"

    number: Annotated[int, U32("PartitionNumber")]
    start: Annotated[int, U64("PartitionStart")]
    sectors: Annotated[int, U64("PartitionSize")]
    signature: Annotated[Guid, GuidWire("Signature")]
    format: Annotated[int, U8("MBRType")] = FORMAT_GPT
    signature_type: Annotated[int, U8("SignatureType")] = SIGNATURE_GUID


def hard_drive(drive: HardDrive) -> bytes:
    """The node of a partition."""
    return _node(HARD_DRIVE, drive.pack())


def file_path(name: str) -> bytes:
    r"""The node of a file (section 10.3.5.4).

    :param name: from the root of its file system, with backslashes: `\EFI\BOOT\BOOTAA64.EFI`.
    :raises FormatError: a name that no node holds.
    """
    if "\0" in name:
        raise FormatError(f"FILEPATH_DEVICE_PATH: {name!r} has a zero in it")
    return _node(FILE_PATH, (name + "\0").encode("utf-16-le"))


def vendor_media(guid: Guid) -> bytes:
    """The node of a vendor's medium, which is known by its GUID alone (section 10.3.5.3)."""
    return _node(VENDOR_MEDIA, guid.wire)


def _node(subtype: int, body: bytes) -> bytes:
    return PathNode(MEDIA, subtype, PathNode.size() + len(body)).pack() + body
