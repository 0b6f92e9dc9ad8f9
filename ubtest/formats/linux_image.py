"""Linux' arm64 Image: its header and what else it says about itself
(Linux: Documentation/arch/arm64/booting.rst)."""

import gzip
import re
import struct
import zlib

from ubtest.formats.pe import AA64, DOS_MAGIC, NEW_HEADER_AT, PE_MAGIC
from ubtest.formats.record import FormatError

MAGIC = b"ARM\x64"
MAGIC_AT = 0x38
_CONFIG = re.compile(rb"IKCFG_ST(\x1f\x8b.*?)IKCFG_ED", re.DOTALL)
# What people have in place of an Image -> what to do about it
_OTHERS = (
    (0, b"\x1f\x8b", "is compressed: gunzip it"),
    (4, b"zimg", "is an EFI zboot image: give the Image it was made from"),
    (0x24, b"\x18\x28\x6f\x01", "is a zImage for 32-bit Arm"),
    (0x202, b"HdrS", "is a bzImage for x86"),
    (0, b"\x7fELF", "is an ELF file: give arch/arm64/boot/Image, not vmlinux"),
    (0, b"\xd0\x0d\xfe\xed", "is a FIT image or device tree: give the Image in it"),
    (0, b"\x27\x05\x19\x56", "is a uImage: give the Image in it"),
)


def check(image: bytes) -> None:
    """Make sure that it is an arm64 Image that UEFI can start.

    :raises FormatError: it is something else; says what.
    """
    for offset, magic, words in _OTHERS:
        if image[offset : offset + len(magic)] == magic:
            raise FormatError(words)
    if image[MAGIC_AT : MAGIC_AT + 4] != MAGIC:
        machine = _machine(image)
        raise FormatError(
            "has no arm64 Image header (ARM\\x64 at 0x38)"
            + (f" and is an EFI image for machine {machine:#x}" if machine else "")
        )
    if _machine(image) != AA64.code:
        raise FormatError("has no EFI stub for arm64: it was built without CONFIG_EFI_STUB")


def release(image: bytes) -> str | None:
    """What `uname -r` will print; None where the image does not say it in the clear."""
    found = re.search(rb"Linux version ([\w.+~-]+) ", image)
    return found[1].decode() if found else None


def config(image: bytes) -> str | None:
    """The `.config` inside an image built with CONFIG_IKCONFIG; None where there is none."""
    found = _CONFIG.search(image)
    try:
        return gzip.decompress(found[1]).decode() if found else None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None


def _machine(image: bytes) -> int | None:
    """IMAGE_FILE_MACHINE_* of an EFI image."""
    if not image.startswith(DOS_MAGIC) or len(image) < NEW_HEADER_AT + 4:
        return None
    (at,) = struct.unpack_from("<I", image, NEW_HEADER_AT)
    header = image[at : at + 6]
    return int.from_bytes(header[4:], "little") if header[:4] == PE_MAGIC else None
