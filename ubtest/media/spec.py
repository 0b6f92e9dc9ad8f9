"""What is on an image, as data: tests write it in Python, images/*.yaml in YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ubtest.errors import CaseError
from ubtest.formats.fat import Content
from ubtest.formats.guid import ESP_TYPE, Guid
from ubtest.formats.record import FormatError

Table = Literal["gpt", "mbr", "iso"]

# Name of a partition's type -> its GUID on GPT and its number in an MBR
KINDS = {
    "esp": (ESP_TYPE, 0xEF),
    "basic-data": (Guid.of("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"), 0x0C),
    "linux": (Guid.of("0fc63daf-8483-4772-8e79-3d69d8477de4"), 0x83),
}


@dataclass(frozen=True)
class Partition:
    """One partition.

    :param kind: a name of :data:`KINDS`, a GUID, or a number for an MBR.
    :param fat: 12, 16 or 32; None for a partition without a file system.
    :param size: bytes, rounded up to whole MiB; None for all that is left.
    :param label: of the file system.
    :param files: path below the root, with / -> content.
    :param logical: a logical drive in an MBR's extended partition, which is made around them.
    """

    files: Mapping[str, Content] = field(default_factory=dict)
    name: str = "EFI System"
    kind: str = "esp"
    fat: int | None = 16
    size: int | None = None
    label: str = "ESP"
    logical: bool = False

    @property
    def type_guid(self) -> Guid:
        """On a GPT.

        :raises CaseError: the kind is no GUID.
        """
        if self.kind in KINDS:
            return KINDS[self.kind][0]
        try:
            return Guid.of(self.kind)
        except FormatError as error:
            raise CaseError(
                f"{self.kind!r} is not the type of a GPT partition",
                next_step=f"write one of {', '.join(KINDS)}, or a GUID",
            ) from error

    @property
    def type_number(self) -> int:
        """In an MBR.

        :raises CaseError: the kind is no number of one byte.
        """
        if self.kind in KINDS:
            return KINDS[self.kind][1]
        try:
            number = int(self.kind, 0)
        except ValueError:
            number = 0
        if not 0 < number < 0x100:
            raise CaseError(
                f"{self.kind!r} is not the type of an MBR partition",
                next_step=f"write one of {', '.join(KINDS)}, or a number from 0x01 to 0xff",
            )
        return number


@dataclass(frozen=True)
class Image:
    """One disk, or one CD.

    :param table: "iso" is a CD whose El Torito boot image is the only partition.
    :param size: bytes of a disk; a CD is as large as what is on it.
    :param identity: what GUIDs and serial numbers derive from; give two disks of one board two.
    :param files: of a CD, beside its boot image.
    :param damage: names of :data:`ubtest.media.damage.DAMAGES`, in the order they happen.
    """

    partitions: tuple[Partition, ...]
    table: Table = "gpt"
    size: int = 64 << 20
    identity: str = "ubtest"
    files: Mapping[str, Content] = field(default_factory=dict)
    damage: tuple[str, ...] = ()


def esp_image(files: Mapping[str, Content], *, damage: tuple[str, ...] = ()) -> Image:
    """The image that most tests want: a GPT disk with one ESP."""
    return Image((Partition(files),), damage=damage)
