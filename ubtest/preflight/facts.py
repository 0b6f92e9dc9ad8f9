"""What was read from a board, and what could not be read and why; nothing is judged here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509

from ubtest.firmware.config import Kconfig
from ubtest.formats.esrt import Resource
from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.varstore import Variable
from ubtest.uefi.dfu import Alternate
from ubtest.uefi.handles import Handle
from ubtest.uefi.storage import Folder, Partition


@dataclass(frozen=True)
class Unread:
    """In place of an answer that there is none, and why."""

    why: str


@dataclass(frozen=True)
class CapsuleFile:
    """A file that the firmware would take for a capsule, or the user would give it.

    :param name: in \\EFI\\UpdateCapsule, or the file's path on this host.
    :param size: bytes.
    :param content: all of it.
    """

    name: str
    size: int
    content: bytes | Unread


@dataclass(frozen=True)
class Volume:
    """One partition with a file system that U-Boot can read, or not.

    :param root: None: U-Boot cannot list it.
    :param capsules: \\EFI\\UpdateCapsule; None: there is no such folder.
    :param store: the variables in its ubootefi.var; None: there is no such file.
    """

    partition: Partition
    root: Folder | None
    capsules: Folder | None
    files: tuple[CapsuleFile, ...]
    store: tuple[Variable, ...] | Unread | None


@dataclass(frozen=True)
class Facts:
    """A board, its firmware and its disks.

    :param image: UpdateImageTypeId and UpdateImageIndex that the board file promises.
    :param key_place: where this version looks for the capsule key.
    :param partition: the one that the board file names, "virtio 0:1".
    :param find: what makes U-Boot look for its disk.
    :param disk: the image on this host, where one was given.
    :param devices: the disks that U-Boot has found; `volumes` are their partitions.
    :param stored: the variables of the first ESP that has a store; Unread: they are elsewhere.
    :param live: the variables of the running EFI subsystem.
    :param options: number of Boot#### -> its device path as the firmware writes it.
    :param esrt: image types that the firmware lists.
    :param trusted: the certificates that the firmware holds a signature against.
    :param lowest: /firmware-version of the device tree.
    :param bootcmd: what U-Boot runs when nobody stops it.
    :param capsule: the file that the user gave.
    :param signer: the key of the key ring that the firmware trusts; empty: none of them.
    """

    version: str
    config: Kconfig
    image: tuple[Guid, int] | Unread
    key_place: Literal["dtb", "binary"]
    partition: str
    find: str
    disk: Path | None
    devices: tuple[str, ...]
    volumes: tuple[Volume, ...]
    stored: tuple[Variable, ...] | Unread
    live: tuple[Variable, ...] | Unread
    handles: tuple[Handle, ...] | Unread
    options: Mapping[int, str] | Unread
    esrt: tuple[Resource, ...] | Unread
    trusted: tuple[x509.Certificate, ...] | Unread
    lowest: Mapping[tuple[Guid, int], int] | Unread
    alternates: tuple[Alternate, ...] | Unread
    bootcmd: str | Unread
    capsule: CapsuleFile | None = None
    signer: str = ""

    @property
    def device(self) -> str:
        """The disk that the board file names, "virtio 0"."""
        return self.partition.partition(":")[0]

    @property
    def own_volumes(self) -> tuple[Volume, ...]:
        """The partitions of that disk."""
        return tuple(each for each in self.volumes if each.partition.device == self.device)

    @property
    def systems(self) -> tuple[Volume, ...]:
        """Its EFI system partitions."""
        return tuple(each for each in self.own_volumes if each.partition.esp)

    @property
    def variables(self) -> dict[str, Variable] | Unread:
        """The global variables that the firmware starts with the next time, by name."""
        if isinstance(self.stored, Unread):
            return self.stored
        return {each.name: each for each in self.stored if each.guid == GLOBAL_VARIABLE}

    def variable(self, name: str, guid: Guid) -> Variable | None:
        """One stored variable of any GUID."""
        if isinstance(self.stored, Unread):
            return None
        return next((v for v in self.stored if (v.name, v.guid) == (name, guid)), None)
