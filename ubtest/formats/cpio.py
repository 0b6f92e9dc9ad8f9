"""cpio archives in the form "newc": what Linux unpacks as its initramfs
(Documentation/driver-api/early-userspace/buffer-format.rst).

Our own, because `cpio` is not on a fresh machine and keeps inode numbers and times of the host.
"""

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ubtest.formats.record import FormatError

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
HEADER_SIZE = 110
ALIGNMENT = 4
LARGEST = 0xFFFFFFFF  # bytes of a file: its size has eight digits


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a symbolic link.

    :param path: below the root, with / and without one in front.
    :param content: of a file; of a link, where it points to.
    :param mode: st_mode; permissions alone stand for a plain file.
    """

    path: str
    content: bytes = b""
    mode: int = 0o644

    @classmethod
    def folder(cls, path: str) -> "Entry":
        return cls(path, mode=stat.S_IFDIR | 0o755)

    @classmethod
    def link(cls, path: str, target: str) -> "Entry":
        return cls(path, target.encode(), stat.S_IFLNK | 0o777)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


def pack(entries: Iterable[Entry]) -> bytes:
    """The archive: sorted, owned by root, without times; folders that lack are added.

    :raises FormatError: a path that is none or stands there twice, or too much content.
    """
    named: dict[str, Entry] = {}
    for entry in entries:
        _check(entry)
        if entry.path in named:
            raise FormatError(f"{entry.path} stands in the archive twice")
        named[entry.path] = entry
    for path in [*named]:
        for parent in map(str, PurePosixPath(path).parents):
            if parent != "." and not named.setdefault(parent, Entry.folder(parent)).is_folder:
                raise FormatError(f"{path} is below {parent}, which is no folder")
    parts = [_member(number, named[path]) for number, path in enumerate(sorted(named), 1)]
    return b"".join([*parts, _member(0, Entry(TRAILER, mode=0))])


def parse(data: bytes) -> list[Entry]:
    """The entries of an archive, in its order.

    :raises FormatError: not newc, cut short, or without its end.
    """
    return list(_entries(data))


def _entries(data: bytes) -> Iterator[Entry]:
    at = 0
    while True:
        header = data[at : at + HEADER_SIZE]
        if not re.fullmatch(MAGIC + rb"[0-9a-fA-F]{104}", header):
            raise FormatError(f"no cpio header of the form newc at {at}")
        fields = [int(header[i : i + 8], 16) for i in range(len(MAGIC), HEADER_SIZE, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        start = _aligned(at + HEADER_SIZE + name_size)
        if not name_size or start + size > len(data):
            raise FormatError(f"the cpio member at {at} ends after the archive")
        name = data[at + HEADER_SIZE : at + HEADER_SIZE + name_size - 1]
        try:
            path = name.decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"the name of the cpio member at {at} is not UTF-8") from error
        if path == TRAILER:
            return
        yield Entry(path, data[start : start + size], mode)
        at = _aligned(start + size)


def _member(inode: int, entry: Entry) -> bytes:
    mode = entry.mode if stat.S_IFMT(entry.mode) or not inode else stat.S_IFREG | entry.mode
    name = entry.path.encode() + b"\0"
    links = 2 if entry.is_folder else 1
    size = len(entry.content)
    fields = (inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(name), 0)
    header = MAGIC + b"".join(b"%08x" % field for field in fields)
    return _padded(header + name) + _padded(entry.content)


def _check(entry: Entry) -> None:
    parts = entry.path.split("/")
    if {"", ".", ".."} & {*parts} or "\0" in entry.path or entry.path == TRAILER:
        raise FormatError(f"{entry.path!r} is no path in a cpio archive")
    if len(entry.content) > LARGEST:
        raise FormatError(f"{entry.path} is larger than 4 GiB")
    if not 0 <= entry.mode <= 0o177777:
        raise FormatError(f"{entry.path} has the mode {entry.mode:#o}")


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
