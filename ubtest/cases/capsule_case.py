"""A row of the capsule table: what differs from a good capsule, and what must become of it."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import Guid
from ubtest.media.content import Content


class Effect(enum.Enum):
    """What the image's region in flash holds afterwards."""

    UNCHANGED = "the flash is as it was, byte for byte"
    WRITTEN = "the region holds the image and nothing else changed"


class Path(enum.Flag):
    """The ways that a capsule takes into the firmware.

    MEMORY takes milliseconds, so nearly every row runs there, but it tells success from failure
    alone. DISK shows the exact status, the file and the reset: a few rows of each check. BOOT is the
    way that a user's update takes: the same file is found while the EFI subsystem starts, with
    what is ready by then, and what goes wrong there keeps a board from starting. One row of each
    check that refuses, and of each kind that is accepted.
    """

    MEMORY = enum.auto()  # UpdateCapsule(), by `efidebug capsule update`
    DISK = enum.auto()  # a file on the ESP, by `efidebug capsule disk-update`
    BOOT = enum.auto()  # the same file, by the start of the EFI subsystem


FILE = Path.DISK | Path.BOOT
BOTH = Path.MEMORY | Path.DISK
ALL = Path.MEMORY | FILE


@dataclass(frozen=True)
class Bench:
    """The good capsule of one board, from which every row is made.

    :param image: what an accepted capsule writes.
    """

    keys: KeyRing
    image_type: Guid
    index: int
    image: bytes

    @property
    def plain(self) -> FmpPayload:
        """The payload without a signature."""
        return FmpPayload(self.image_type, self.image, index=self.index)

    @property
    def payload(self) -> FmpPayload:
        """The good payload."""
        return signed(self.keys["trusted"], self.plain)

    @property
    def capsule(self) -> Capsule:
        """The good capsule."""
        return Capsule((self.payload,))

    @property
    def signature(self) -> bytes:
        """The good payload's."""
        signature = self.payload.signature
        assert signature is not None
        return signature


Make = Callable[[Bench], bytes]


@dataclass(frozen=True)
class Case:
    """One row.

    :param differs: what is different from the good capsule.
    :param make: makes the file.
    :param status: EFI_STATUS of the result variable; None where the file does not even become one.
    :param why: the rule: a section of the UEFI specification 2.10, or the place in U-Boot.
    :param written: the image that must be in flash, where it is not the good one.
    :param paths: where the row runs.
    :param bug: name in known_bugs.yaml.
    :param bug_on: the paths that it shows on.
    """

    differs: str
    make: Make
    status: int | None
    why: str
    effect: Effect = Effect.UNCHANGED
    written: Callable[[Bench], bytes] = lambda bench: bench.image
    paths: Path = Path.MEMORY
    bug: str | None = None
    bug_on: Path = ALL

    def flash_after(self, bench: Bench, before: Content, region: slice) -> Content:
        """The whole chip as it must be after the row.

        :param region: where the image is in it.
        """
        if self.effect is Effect.UNCHANGED:
            return before
        image = self.written(bench)
        return before.written(region.start, image.ljust(region.stop - region.start, b"\xff"))


def outer(**fields: Any) -> Make:
    """The good capsule with other fields of its own (:class:`Capsule`)."""
    return lambda bench: replace(bench.capsule, **fields).pack()


def header(**fields: Any) -> Make:
    """The good payload with other header fields; what was signed stays as it is."""
    return lambda bench: Capsule((replace(bench.payload, **fields),)).pack()


def resigned(key: str = "trusted", **fields: Any) -> Make:
    """The good payload with other fields, signed after that."""
    return lambda bench: Capsule((signed(bench.keys[key], replace(bench.plain, **fields)),)).pack()


def signature(edit: Callable[[bytes], bytes]) -> Make:
    """The good payload with its signature edited; lengths follow."""
    return lambda bench: Capsule((replace(bench.payload, signature=edit(bench.signature)),)).pack()


def file(edit: Callable[[bytes], bytes]) -> Make:
    """The good capsule's bytes edited."""
    return lambda bench: edit(bench.capsule.pack())
