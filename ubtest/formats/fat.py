"""A FAT file system with files in it, as the pieces to write
(Microsoft's FAT specification 1.03).

Our own, and not mformat and mcopy: those take four times as long, store a folder's files in the
order of the host's readdir, and misread names with [, ~ or - in them.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ubtest.formats.fat_layout import (
    ARCHIVE,
    BACKUP_SECTOR,
    FATS,
    FOLDER,
    INFO_SECTOR,
    MEDIA,
    SECTOR,
    VOLUME_LABEL,
    FolderEntry,
    Geometry,
)
from ubtest.formats.fatname import is_name, long_name, short_names
from ubtest.formats.record import FormatError

ROOT = PurePosixPath()
Piece = tuple[int, bytes]


@dataclass(frozen=True)
class File:
    """A file whose attributes are not those of every new file.

    :param attributes: DIR_Attr; with VOLUME_LABEL it is an entry that is no file to a reader.
    """

    content: bytes
    attributes: int = ARCHIVE


Content = bytes | File


def fat_volume(
    files: Mapping[str, Content],
    sectors: int,
    *,
    label: str,
    serial: int,
    hidden_sectors: int = 0,
    bits: int = 16,
) -> list[Piece]:
    """The pieces of a volume, each with its offset in bytes; what lies between them is zero.

    :param files: path below the root, with / -> content.
    :param sectors: of 512 bytes.
    :param label: at most 11 characters.
    :param hidden_sectors: in front of the volume on its disk.
    :param bits: 12, 16 or 32: which FAT.
    :raises FormatError: a name that FAT cannot hold, two names that are one on FAT, more content
        than fits, or a size that this FAT cannot have.
    """
    name = label.upper().ljust(11).encode("ascii", "replace")
    contents = {
        _path(each): content if isinstance(content, File) else File(content)
        for each, content in files.items()
    }
    geometry = Geometry.of(sectors, bits)
    volume = _Volume(geometry, contents)
    root_at = volume.root(FolderEntry(name, VOLUME_LABEL).pack())
    boot = geometry.boot_sector(name, serial, hidden_sectors)
    fat = _table(volume.fat, bits)
    pieces = [
        (0, boot),
        *((SECTOR * (geometry.reserved + n * geometry.fat_sectors), fat) for n in range(FATS)),
        root_at,
        *volume.pieces,
    ]
    if bits == 32:
        info = _info(geometry.clusters + 2 - len(volume.fat), len(volume.fat))
        pieces += [(SECTOR * (n + INFO_SECTOR), info) for n in (0, BACKUP_SECTOR)]
        pieces.append((SECTOR * BACKUP_SECTOR, boot))
    return pieces


def _table(fat: list[int], bits: int) -> bytes:
    if bits == 12:
        pairs = zip(fat[::2], [*fat[1::2], 0], strict=False)
        return b"".join((low | high << 12).to_bytes(3, "little") for low, high in pairs)
    return struct.pack(f"<{len(fat)}{'H' if bits == 16 else 'I'}", *fat)


def _info(free: int, next_free: int) -> bytes:
    """FAT32's FSInfo sector (section 5)."""
    return struct.pack("<4s480x4sII14x2s", b"RRaA", b"rrAa", free, next_free, b"\x55\xaa")


class _Volume:
    """Hands out clusters in order, so that the content of each file is one piece."""

    def __init__(self, geometry: Geometry, contents: Mapping[PurePosixPath, File]) -> None:
        self.geometry = geometry
        self.contents = contents
        self.tree = _tree(contents)
        self.end = 0x0FFFFFFF & (1 << geometry.bits) - 1
        self.fat = [self.end & ~0xFF | MEDIA, self.end]
        self.pieces: list[Piece] = []

    def root(self, label: bytes) -> Piece:
        """The root folder, after everything else was stored."""
        if self.geometry.root_entries:
            root = label + self.folder(ROOT, 0)
            if len(root) > self.geometry.root_entries * FolderEntry.size():
                raise FormatError(f"FAT: the root holds {self.geometry.root_entries} entries")
            return SECTOR * self.geometry.root, root
        cluster = self._reserve(len(label) + self._slots(ROOT) * FolderEntry.size())
        return self._place(cluster), label + self.folder(ROOT, 0)

    def folder(self, folder: PurePosixPath, cluster: int) -> bytes:
        """The entries of a folder, after all that is in it was stored.

        :param cluster: where the folder starts; 0 for the root, as its children say it.
        """
        short = short_names([path.name for path in self.tree[folder]])
        entries: list[bytes] = []
        for path in sorted(self.tree[folder]):
            name = short[path.name]
            entries.extend(part.pack() for part in long_name(path.name, name))
            entries.append(self._entry(path, name, cluster).pack())
        return b"".join(entries)

    def _entry(self, path: PurePosixPath, name: bytes, parent: int) -> FolderEntry:
        if path not in self.tree:
            file = self.contents[path]
            cluster = self._reserve(len(file.content)) if file.content else 0
            if file.content:
                self._store(cluster, file.content)
            return _entry(name, file.attributes, cluster, len(file.content))
        cluster = self._reserve((2 + self._slots(path)) * FolderEntry.size())
        dots = (
            _entry(b".".ljust(11), FOLDER, cluster),
            _entry(b"..".ljust(11), FOLDER, parent),
        )
        self._store(cluster, b"".join(dot.pack() for dot in dots) + self.folder(path, cluster))
        return _entry(name, FOLDER, cluster)

    def _slots(self, path: PurePosixPath) -> int:
        """Entries of a folder, those of long names included."""
        short = short_names([each.name for each in self.tree[path]])
        return sum(1 + len(long_name(each, short[each])) for each in short)

    def _reserve(self, size: int) -> int:
        """The first of a chain of clusters that holds so many bytes."""
        first = len(self.fat)
        count = -(-size // (self.geometry.cluster_sectors * SECTOR))
        if first + count - 2 > self.geometry.clusters:
            raise FormatError(f"FAT{self.geometry.bits}: the files do not fit")
        self.fat.extend(range(first + 1, first + count))
        self.fat.append(self.end)
        return first

    def _store(self, cluster: int, content: bytes) -> None:
        self.pieces.append((self._place(cluster), content))

    def _place(self, cluster: int) -> int:
        return SECTOR * (self.geometry.data + (cluster - 2) * self.geometry.cluster_sectors)


def _entry(name: bytes, attributes: int, cluster: int, length: int = 0) -> FolderEntry:
    high, low = divmod(cluster, 0x10000)
    return FolderEntry(name, attributes, cluster_high=high, cluster=low, length=length)


def _path(name: str) -> PurePosixPath:
    for component in name.split("/"):
        if not is_name(component):
            raise FormatError(
                f"{name!r} is not a path on FAT: {component!r} is not a name of at most 255 UTF-16 "
                r'units without any of "*:<>?\|, a final dot or a final space'
            )
    return PurePosixPath(name)


def _tree(files: Collection[PurePosixPath]) -> dict[PurePosixPath, set[PurePosixPath]]:
    """What is in each folder, the root included."""
    tree: dict[PurePosixPath, set[PurePosixPath]] = {ROOT: set()}
    spelled: dict[str, PurePosixPath] = {}
    for file in files:
        for path in (file, *file.parents[:-1]):
            tree.setdefault(path.parent, set()).add(path)
            twin = spelled.setdefault(str(path).lower(), path)
            if twin != path:
                raise FormatError(f"'{twin}' and '{path}' are one name on FAT")
    for path in tree.keys() & set(files):
        raise FormatError(f"'{path}' is a file and a folder")
    return tree
