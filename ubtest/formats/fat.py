"""A FAT16 file system with files in it, as the pieces to write
(Microsoft's FAT specification 1.03).

Our own, and not mformat and mcopy: those take four times as long, store a folder's files in the
order of the host's readdir, and misread names with [, ~ or - in them.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from ubtest.formats.fatname import is_name, long_name, short_names
from ubtest.formats.record import U8, U16, U32, FormatError, Raw, Record

ROOT = PurePosixPath()
SECTOR = 512
ROOT_ENTRIES = 512
RESERVED_SECTORS = 1
FATS = 2
CLUSTERS = range(4085, 65525)  # their number alone tells a reader that it is FAT16
END_OF_CHAIN = 0xFFFF
MEDIA = 0xF8
READ_ONLY, HIDDEN, SYSTEM, VOLUME_LABEL, FOLDER, ARCHIVE = (1 << bit for bit in range(6))
DATE = 20 << 9 | 1 << 5 | 1  # 2000-01-01 in every entry, so that images do not differ

Piece = tuple[int, bytes]


@dataclass(frozen=True)
class File:
    """A file whose attributes are not those of every new file.

    :param attributes: DIR_Attr; with VOLUME_LABEL it is an entry that is no file to a reader.
    """

    content: bytes
    attributes: int = ARCHIVE


Content = bytes | File


@dataclass(frozen=True)
class BootSector(Record):
    """What a volume starts with (section 3)."""

    spec_name = "FAT_BOOT_SECTOR"

    jump: Annotated[bytes, Raw("BS_jmpBoot", 3)]
    oem_name: Annotated[bytes, Raw("BS_OEMName", 8)]
    bytes_per_sector: Annotated[int, U16("BPB_BytsPerSec")]
    sectors_per_cluster: Annotated[int, U8("BPB_SecPerClus")]
    reserved_sectors: Annotated[int, U16("BPB_RsvdSecCnt")]
    fats: Annotated[int, U8("BPB_NumFATs")]
    root_entries: Annotated[int, U16("BPB_RootEntCnt")]
    sectors_16: Annotated[int, U16("BPB_TotSec16")]
    media: Annotated[int, U8("BPB_Media")]
    fat_sectors: Annotated[int, U16("BPB_FATSz16")]
    sectors_per_track: Annotated[int, U16("BPB_SecPerTrk")]
    heads: Annotated[int, U16("BPB_NumHeads")]
    hidden_sectors: Annotated[int, U32("BPB_HiddSec")]
    sectors_32: Annotated[int, U32("BPB_TotSec32")]
    drive: Annotated[int, U8("BS_DrvNum")]
    reserved: Annotated[int, U8("BS_Reserved1")]
    boot_signature: Annotated[int, U8("BS_BootSig")]
    serial: Annotated[int, U32("BS_VolID")]
    label: Annotated[bytes, Raw("BS_VolLab", 11)]
    kind: Annotated[bytes, Raw("BS_FilSysType", 8)]


@dataclass(frozen=True)
class FolderEntry(Record):
    """One entry of a folder (section 6)."""

    spec_name = "FAT_DIRECTORY_ENTRY"

    name: Annotated[bytes, Raw("DIR_Name", 11)]
    attributes: Annotated[int, U8("DIR_Attr")]
    case: Annotated[int, U8("DIR_NTRes")] = 0
    created_tenth: Annotated[int, U8("DIR_CrtTimeTenth")] = 0
    created_time: Annotated[int, U16("DIR_CrtTime")] = 0
    created_date: Annotated[int, U16("DIR_CrtDate")] = DATE
    accessed_date: Annotated[int, U16("DIR_LstAccDate")] = DATE
    cluster_high: Annotated[int, U16("DIR_FstClusHI")] = 0
    written_time: Annotated[int, U16("DIR_WrtTime")] = 0
    written_date: Annotated[int, U16("DIR_WrtDate")] = DATE
    cluster: Annotated[int, U16("DIR_FstClusLO")] = 0
    length: Annotated[int, U32("DIR_FileSize")] = 0


@dataclass(frozen=True)
class Geometry:
    """Where the parts of a volume are, in sectors from its start."""

    sectors: int
    cluster_sectors: int
    fat_sectors: int

    @classmethod
    def of(cls, sectors: int) -> "Geometry":
        """The layout for a volume of so many sectors.

        :raises FormatError: too small or too large for FAT16 (about 2.1 MiB to 2 GiB).
        """
        cluster = next((each for each in (1, 2, 4, 8, 16, 32) if sectors // each <= 32768), 64)
        fat_sectors = -(-2 * (sectors // cluster + 2) // SECTOR)
        geometry = cls(sectors, cluster, fat_sectors)
        if geometry.clusters not in CLUSTERS:
            raise FormatError(f"FAT16: {sectors} sectors are too few or too many")
        return geometry

    @property
    def root(self) -> int:
        return RESERVED_SECTORS + FATS * self.fat_sectors

    @property
    def data(self) -> int:
        return self.root + ROOT_ENTRIES * FolderEntry.size() // SECTOR

    @property
    def clusters(self) -> int:
        return (self.sectors - self.data) // self.cluster_sectors

    def boot_sector(self, label: bytes, serial: int, hidden_sectors: int) -> bytes:
        head = BootSector(
            b"\xeb\x3c\x90",
            b"UBTEST  ",
            SECTOR,
            self.cluster_sectors,
            RESERVED_SECTORS,
            FATS,
            ROOT_ENTRIES,
            self.sectors if self.sectors < 0x10000 else 0,
            MEDIA,
            self.fat_sectors,
            sectors_per_track=32,
            heads=64,
            hidden_sectors=hidden_sectors,
            sectors_32=self.sectors if self.sectors >= 0x10000 else 0,
            drive=0x80,
            reserved=0,
            boot_signature=0x29,
            serial=serial,
            label=label,
            kind=b"FAT16   ",
        )
        return head.pack().ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def fat_volume(
    files: Mapping[str, Content], sectors: int, *, label: str, serial: int, hidden_sectors: int = 0
) -> list[Piece]:
    """The pieces of a volume, each with its offset in bytes; what lies between them is zero.

    :param files: path below the root, with / -> content.
    :param sectors: of 512 bytes.
    :param label: at most 11 characters.
    :param hidden_sectors: in front of the volume on its disk.
    :raises FormatError: a name that FAT cannot hold, two names that are one on FAT, more content
        than fits, or a size that FAT16 cannot have.
    """
    name = label.upper().ljust(11).encode("ascii", "replace")
    contents = {
        _path(each): content if isinstance(content, File) else File(content)
        for each, content in files.items()
    }
    volume = _Volume(Geometry.of(sectors), contents)
    root = FolderEntry(name, VOLUME_LABEL).pack() + volume.folder(ROOT, 0)
    if len(root) > ROOT_ENTRIES * FolderEntry.size():
        raise FormatError(f"FAT16: the root holds {ROOT_ENTRIES} entries")
    geometry = volume.geometry
    fat = struct.pack(f"<{len(volume.fat)}H", *volume.fat)
    return [
        (0, geometry.boot_sector(name, serial, hidden_sectors)),
        *((SECTOR * (RESERVED_SECTORS + n * geometry.fat_sectors), fat) for n in range(FATS)),
        (SECTOR * geometry.root, root),
        *volume.pieces,
    ]


class _Volume:
    """Hands out clusters in order, so that the content of each file is one piece."""

    def __init__(self, geometry: Geometry, contents: Mapping[PurePosixPath, File]) -> None:
        self.geometry = geometry
        self.contents = contents
        self.tree = _tree(contents)
        self.fat = [0xFF00 | MEDIA, END_OF_CHAIN]
        self.pieces: list[Piece] = []

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
            return FolderEntry(name, file.attributes, cluster=cluster, length=len(file.content))
        short = short_names([each.name for each in self.tree[path]])
        slots = 2 + sum(1 + len(long_name(each, short[each])) for each in short)
        cluster = self._reserve(slots * FolderEntry.size())
        dots = (
            FolderEntry(b".".ljust(11), FOLDER, cluster=cluster),
            FolderEntry(b"..".ljust(11), FOLDER, cluster=parent),
        )
        self._store(cluster, b"".join(dot.pack() for dot in dots) + self.folder(path, cluster))
        return FolderEntry(name, FOLDER, cluster=cluster)

    def _reserve(self, size: int) -> int:
        """The first of a chain of clusters that holds so many bytes."""
        first = len(self.fat)
        count = -(-size // (self.geometry.cluster_sectors * SECTOR))
        if first + count - 2 > self.geometry.clusters:
            raise FormatError("FAT16: the files do not fit")
        self.fat.extend(range(first + 1, first + count))
        self.fat.append(END_OF_CHAIN)
        return first

    def _store(self, cluster: int, content: bytes) -> None:
        sector = self.geometry.data + (cluster - 2) * self.geometry.cluster_sectors
        self.pieces.append((sector * SECTOR, content))


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
