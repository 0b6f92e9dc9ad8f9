"""What a Linux kernel module says about itself: the section .modinfo of its ELF file
(Linux: include/linux/moduleparam.h; gABI chapter 4)."""

import struct
from collections import defaultdict

from ubtest.formats.record import FormatError

_IDENT = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_SECTION_TABLE = struct.Struct("<40xQ10xHHH")  # of the ELF header: e_shoff, e_shentsize, ...
_SECTION = struct.Struct("<I20xQQ24x")  # sh_name, sh_offset, sh_size
SECTION_NAME = b".modinfo\0"


def modinfo(module: bytes) -> dict[str, list[str]]:
    """Name -> values, such as ``depends`` -> ["a,b"], ``alias`` -> [...].

    :raises FormatError: no 64-bit ELF file, or damaged.
    """
    if not module.startswith(_IDENT):
        raise FormatError("not a kernel module: no little-endian 64-bit ELF file")
    try:
        table, size, count, names = _SECTION_TABLE.unpack_from(module)
        sections = [_SECTION.unpack_from(module, table + size * i) for i in range(count)]
        strings = sections[names][1]
        places = [
            (offset, length)
            for name, offset, length in sections
            if module[strings + name : strings + name + len(SECTION_NAME)] == SECTION_NAME
        ]
    except (struct.error, IndexError) as error:
        raise FormatError("a damaged kernel module: its section table is not whole") from error
    found = defaultdict(list)
    for offset, length in places:
        for text in module[offset : offset + length].split(b"\0"):
            name, _, value = text.decode(errors="backslashreplace").partition("=")
            if name:
                found[name].append(value)
    return dict(found)
