"""What a FAT volume holds, from any bytes: bounded, and a message where they are no volume."""

from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.formats.fat_layout import (
    CLUSTERS,
    FOLDER,
    SECTOR,
    VOLUME_LABEL,
    BootSector32,
    FolderEntry,
    ParameterBlock,
)
from ubtest.formats.fatname import LONG_NAME, LongNamePart
from ubtest.formats.record import Bytes, FormatError, take

MOST_ENTRIES, DEEPEST, LARGEST_FOLDER = 2000, 16, 1 << 20
DELETED = 0xE5


@dataclass(frozen=True)
class Found:
    """A file or folder; `size` is None for a folder."""

    path: str
    size: int | None
    cluster: int


class FatReader:
    """A volume at an offset of an image.

    :raises FormatError: no FAT volume is there.
    """

    def __init__(self, data: Bytes, offset: int) -> None:
        self.data, self.offset = data, offset
        head = ParameterBlock.parse(data, offset)
        if take(data, offset + 510, 2, "FAT: signature") != b"\x55\xaa":
            raise FormatError("FAT: the boot sector has no signature")
        sound = head.bytes_per_sector == SECTOR and head.fats and head.reserved_sectors
        if not sound or head.sectors_per_cluster not in (1, 2, 4, 8, 16, 32, 64, 128):
            raise FormatError("FAT: the boot sector is not one of a volume with 512-byte sectors")
        self.root_cluster = 0
        fat_sectors = head.fat_sectors
        if not fat_sectors:
            wide = BootSector32.parse(data, offset)
            fat_sectors, self.root_cluster = wide.fat_sectors_32, wide.root_cluster
        self.fat_at = offset + head.reserved_sectors * SECTOR
        self.root_at = self.fat_at + head.fats * fat_sectors * SECTOR
        self.root_size = head.root_entries * FolderEntry.size()
        self.data_at = self.root_at + self.root_size
        self.cluster_size = head.sectors_per_cluster * SECTOR
        self.sectors = head.sectors_16 or head.sectors_32
        self.clusters = (offset + self.sectors * SECTOR - self.data_at) // self.cluster_size
        self.bits = next((bits for bits, some in CLUSTERS.items() if self.clusters in some), 0)
        if not self.bits or (self.bits == 32) != bool(self.root_cluster):
            raise FormatError(f"FAT: {self.clusters} clusters do not go with the boot sector")

    def files(self) -> Iterator[Found]:
        """Everything in it, folders before what they hold; at most :data:`MOST_ENTRIES`.

        :raises FormatError: a chain or folder leads out of the volume, or there is more.
        """
        root = (
            self.content(self.root_cluster, LARGEST_FOLDER)
            if self.bits == 32
            else take(self.data, self.root_at, min(self.root_size, LARGEST_FOLDER), "FAT: root")
        )
        queue = [("", root, 0)]
        count = 0
        while queue:
            parent, raw, depth = queue.pop(0)
            for found in _entries(parent, raw):
                count += 1
                if count > MOST_ENTRIES or depth > DEEPEST:
                    raise FormatError("FAT: more files or folders than are looked at")
                yield found
                if found.size is None:
                    below = self.content(found.cluster, LARGEST_FOLDER)
                    queue.append((f"{found.path}/", below, depth + 1))

    def content(self, cluster: int, most: int) -> bytes:
        """The bytes of a chain, at most so many.

        :raises FormatError: the chain leads out of the volume.
        """
        parts: list[bytes] = []
        while cluster < (1 << min(self.bits, 28)) - 8 and len(parts) * self.cluster_size < most:
            if not 2 <= cluster < self.clusters + 2:
                raise FormatError(f"FAT: a chain leads to cluster {cluster:#x}")
            at = self.data_at + (cluster - 2) * self.cluster_size
            parts.append(take(self.data, at, self.cluster_size, "FAT: cluster"))
            cluster = self._next(cluster)
        return b"".join(parts)[:most]

    def _next(self, cluster: int) -> int:
        at = self.fat_at + cluster * self.bits // 8
        size = 4 if self.bits == 32 else 2
        value = int.from_bytes(take(self.data, at, size, "FAT: table"), "little")
        if self.bits == 12:
            return value >> 4 if cluster & 1 else value & 0xFFF
        return value & 0x0FFFFFFF


def _entries(parent: str, raw: bytes) -> Iterator[Found]:
    long = ""
    for at in range(0, len(raw) - FolderEntry.size() + 1, FolderEntry.size()):
        entry = FolderEntry.parse(raw, at)
        if not entry.name[0]:
            return
        if entry.attributes == LONG_NAME:
            part = LongNamePart.parse(raw, at)
            text = (part.name1 + part.name2 + part.name3).decode("utf-16-le", "replace")
            long = text.partition("\0")[0] + long
            continue
        name, long = long or _short(entry.name), ""
        if entry.name[0] in (DELETED, ord(".")) or entry.attributes & VOLUME_LABEL:
            continue
        size = None if entry.attributes & FOLDER else entry.length
        yield Found(parent + name, size, entry.cluster_high << 16 | entry.cluster)


def _short(raw: bytes) -> str:
    stem, extension = (part.decode("ascii", "replace").rstrip() for part in (raw[:8], raw[8:]))
    return f"{stem}.{extension}" if extension else stem
