"""Names in a FAT folder: the short ones that every entry has, and the long ones in front of them
(Microsoft's FAT specification 1.03, sections 6.1 and 7).

A long name is UTF-16, where a letter outside of the basic plane takes two units. A short name is
kept to ASCII: what its other bytes mean depends on the code page of whoever reads them.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Annotated

from ubtest.formats.record import U8, U16, Raw, Record

SHORT_LETTERS = r"A-Z0-9$%'\-_@~`!(){}^#&"
SHORT = re.compile(rf"([{SHORT_LETTERS}]{{1,8}})(?:\.([{SHORT_LETTERS}]{{1,3}}))?")
NOT_SHORT = re.compile(rf"[^{SHORT_LETTERS}a-z]")
FORBIDDEN = re.compile(r'[\0-\x1f\x7f"*/:<>?\\|\ud800-\udfff\uffff]|[. ]$|^$')
LONG_NAME = 0x0F
LAST_PART = 0x40
UNITS = 13
LONGEST = 255  # units


@dataclass(frozen=True)
class LongNamePart(Record):
    """13 UTF-16 units of a long name, dressed as a folder entry that old readers pass over."""

    spec_name = "FAT_LONG_DIRECTORY_ENTRY"

    order: Annotated[int, U8("LDIR_Ord")]
    name1: Annotated[bytes, Raw("LDIR_Name1", 10)]
    attributes: Annotated[int, U8("LDIR_Attr")]
    kind: Annotated[int, U8("LDIR_Type")]
    checksum: Annotated[int, U8("LDIR_Chksum")]
    name2: Annotated[bytes, Raw("LDIR_Name2", 12)]
    cluster: Annotated[int, U16("LDIR_FstClusLO")]
    name3: Annotated[bytes, Raw("LDIR_Name3", 4)]


def is_name(name: str) -> bool:
    """Whether a file can have this name. 0xFFFF is no letter: it fills a long name's last part."""
    return not FORBIDDEN.search(name) and len(_utf16(name)) <= 2 * LONGEST


def short_names(names: Collection[str]) -> dict[str, bytes]:
    """A short name for each name of one folder: 11 bytes, unique, the same for the same names.

    :param names: no two that differ only in case.
    """
    found: dict[str, bytes] = {}
    for name in sorted(names):
        if (short := _as_it_is(name.upper())) and name.isascii():
            found[name] = short
    taken = set(found.values())
    for name in sorted(set(names) - found.keys()):
        found[name] = _numbered(name, taken)
        taken.add(found[name])
    return found


def long_name(name: str, short: bytes) -> tuple[LongNamePart, ...]:
    """The entries in front of the short one, last part first; none when the short name says it."""
    if _as_it_is(name) == short:
        return ()
    raw = _utf16(name)
    size = 2 * UNITS
    if len(raw) % size:
        raw = (raw + b"\0\0").ljust(-(-len(raw) // size) * size, b"\xff")
    parts = [raw[at : at + size] for at in range(0, len(raw), size)]
    checksum = _checksum(short)
    orders = [*range(1, len(parts)), len(parts) | LAST_PART]
    return tuple(
        LongNamePart(order, part[:10], LONG_NAME, 0, checksum, part[10:22], 0, part[22:])
        for order, part in reversed([*zip(orders, parts, strict=True)])
    )


def _numbered(name: str, taken: Collection[bytes]) -> bytes:
    stem, _, extension = name.rpartition(".")
    if not stem:
        stem, extension = name, ""
    stem, extension = (
        NOT_SHORT.sub("_", re.sub("[ .]", "", part)).upper() for part in (stem, extension)
    )
    tails = (f"~{number}" for number in count(1))
    candidates = (_padded(stem[: 8 - len(tail)] + tail, extension[:3]) for tail in tails)
    return next(candidate for candidate in candidates if candidate not in taken)


def _as_it_is(name: str) -> bytes | None:
    match = SHORT.fullmatch(name)
    return _padded(match[1], match[2] or "") if match else None


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le")


def _padded(stem: str, extension: str) -> bytes:
    return f"{stem:<8}{extension:<3}".encode("ascii")


def _checksum(short: bytes) -> int:
    """Ties a long name to its short one, which a reader without long names may have changed."""
    total = 0
    for byte in short:
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    return total
