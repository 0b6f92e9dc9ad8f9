"""Disk images: a partition table and an EFI system partition, the same bytes every time."""

import contextlib
import errno
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.formats.fat import Content, fat_volume
from ubtest.formats.fat_layout import Geometry
from ubtest.formats.gpt import SECTOR, TAIL_SECTORS, Gpt, GptPartition
from ubtest.formats.guid import ESP_TYPE, Guid
from ubtest.formats.record import FormatError
from ubtest.media.fat import FatVolume

MiB = 1 << 20
ALIGNMENT = MiB // SECTOR
DEFAULT = 64 * MiB
MINIMUM = 8 * MiB  # FAT16 has at least 4085 clusters
NAMESPACE = uuid.UUID("3f2c8a52-6f43-4a3b-9d3e-0c4e3f1f7a10")  # of our disks, for version 5 GUIDs


@dataclass(frozen=True)
class Disk:
    """A raw disk image with one EFI system partition that starts at 1 MiB."""

    path: Path

    @property
    def esp(self) -> FatVolume:
        """Its EFI system partition."""
        return FatVolume(self.path, MiB)

    def read(self, name: str) -> bytes | None:
        """A file of the ESP, or None when there is no such file.

        :raises HostError: the image cannot be read.
        """
        return self.esp.read(name)

    def listing(self) -> list[str]:
        """The paths of all files in the ESP, sorted.

        :raises HostError: the image cannot be read.
        """
        return self.esp.listing()

    def sha256(self) -> str:
        """The checksum of the whole image, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def build_disk(
    path: Path,
    files: Mapping[str, Content],
    *,
    size: int = DEFAULT,
    label: str = "ESP",
    identity: str = "ubtest",
    kind: Guid = ESP_TYPE,
) -> Disk:
    """Make a sparse disk image with files in its ESP; byte-identical for the same arguments.

    :param path: replaced when the new image is whole, never before.
    :param files: path in the ESP -> content.
    :param size: bytes of the disk, a multiple of 512.
    :param identity: what the GUIDs and the serial number derive from; give two disks of one
        board two identities.
    :param kind: the partition's type; firmware tells an ESP by it.
    :raises CaseError: a wrong size or name, or more content than fits.
    :raises HostError: no space left, no permission, or mtools is missing.
    """
    gpt = _partitioned(size, identity, kind)
    (partition,) = gpt.partitions
    with replacing(path) as part:
        with part.open("r+b") as image:
            image.truncate(size)
            for offset, piece in gpt.pack():
                image.seek(offset)
                image.write(piece)
        Disk(part).esp.build(
            files,
            partition.last_lba - partition.first_lba + 1,
            label=label,
            serial=derived(identity, "volume").int & 0xFFFFFFFF,
        )
    return Disk(path)


def esp(identity: str = "ubtest", *, size: int = DEFAULT) -> GptPartition:
    """The partition that :func:`build_disk` gives to a disk of this identity and size."""
    return _partitioned(size, identity, ESP_TYPE).partitions[0]


def room(files: Mapping[str, Content], *, size: int = DEFAULT) -> int:
    """How many bytes one more file in the root may have; with as many, the ESP is full.

    :raises CaseError: as :func:`build_disk`.
    """
    partition = esp(size=size)
    sectors = partition.last_lba - partition.first_lba + 1
    geometry = Geometry.of(sectors)
    try:
        _, (_, table), *_ = fat_volume({**files, "filler": b""}, sectors, label="", serial=0)
    except FormatError as error:
        raise CaseError(str(error)) from error
    reserved_or_used = len(table) // 2  # the clusters are handed out in order
    return (geometry.clusters + 2 - reserved_or_used) * geometry.cluster_sectors * SECTOR


def _partitioned(size: int, identity: str, kind: Guid) -> Gpt:
    """One ESP over all of the disk that is left when it starts and ends on whole MiB."""
    if size < MINIMUM or size % SECTOR:
        raise CaseError(f"a disk of {size} bytes: must be a multiple of 512, at least {MINIMUM}")
    sectors = size // SECTOR
    end = (sectors - TAIL_SECTORS) // ALIGNMENT * ALIGNMENT
    esp = GptPartition(
        "EFI System",
        kind,
        Guid(derived(identity, "partition").bytes_le),
        ALIGNMENT,
        end - 1,
    )
    return Gpt(Guid(derived(identity, "disk").bytes_le), (esp,), sectors)


def derived(identity: str, part: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"{identity}/{part}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside a path that takes its place in the end, or vanishes on any error."""
    part = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        part = Path(name)
        os.fchmod(descriptor, 0o644)
        os.close(descriptor)
        yield part
        part.replace(path)
    except OSError as error:
        raise _blamed(error, path) from error
    finally:
        if part is not None:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()


def _blamed(error: OSError, path: Path) -> HostError:
    where = Path(error.filename).parent if error.filename else path.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HostError(
            f"no space left in {where} while making {path.name}",
            next_step=f"free space in {where}",
        )
    return HostError(f"cannot make {path}: {error.strerror}")
