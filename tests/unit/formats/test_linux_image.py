"""What an arm64 Image says about itself, and what else people give in its place."""

import gzip
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.linux_image import check, config, release
from ubtest.formats.modinfo import modinfo
from ubtest.formats.record import FormatError


def image(machine: int | None = 0xAA64) -> bytearray:
    head = bytearray(0x300)
    head[:2] = b"MZ"
    head[0x38:0x3C] = b"ARM\x64"
    head[0x3C:0x40] = struct.pack("<I", 0x40)
    if machine is not None:
        head[0x40:0x46] = struct.pack("<4sH", b"PE", machine)
    return head


def patched(offset: int, data: bytes) -> bytes:
    head = image()
    head[offset : offset + len(data)] = data
    return bytes(head)


def test_an_image_with_efi_stub_is_taken() -> None:
    check(bytes(image()))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (patched(0, b"\x1f\x8b"), "gunzip"),
        (patched(4, b"zimg"), "zboot"),
        (patched(0x24, b"\x18\x28\x6f\x01"), "32-bit Arm"),
        (patched(0x202, b"HdrS"), "x86"),
        (patched(0, b"\x7fELF"), "vmlinux"),
        (patched(0, b"\xd0\x0d\xfe\xed"), "FIT"),
        (patched(0, b"\x27\x05\x19\x56"), "uImage"),
        (patched(0x38, b"RISC"), "no arm64 Image header.* machine 0xaa64"),
        (bytes(image(0x8664)), "no EFI stub for arm64"),
        (bytes(image(None)), "CONFIG_EFI_STUB"),
        (b"", "no arm64 Image header"),
        (b"MZ", "no arm64 Image header"),
        (patched(0x3C, b"\xff\xff\xff\xff"), "CONFIG_EFI_STUB"),
    ],
)
def test_something_else_is_refused_by_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        check(data)


def test_the_release_is_what_uname_prints() -> None:
    data = bytes(image()) + b"\0Linux version 6.12.117+deb13-arm64 (debian) #1\0"
    assert release(data) == "6.12.117+deb13-arm64"
    assert release(bytes(image())) is None


def test_the_configuration_inside_is_read() -> None:
    packed = gzip.compress(b"CONFIG_VFIO=m\n")
    assert config(b"x" * 100 + b"IKCFG_ST" + packed + b"IKCFG_ED") == "CONFIG_VFIO=m\n"
    assert config(bytes(image())) is None
    assert config(b"IKCFG_ST" + packed[:-9] + b"IKCFG_ED") is None


@given(st.binary(max_size=200))
def test_no_bytes_after_an_elf_header_crash_modinfo(data: bytes) -> None:
    try:
        found = modinfo(b"\x7fELF\x02\x01" + data)
    except FormatError:
        return
    assert isinstance(found, dict)


def test_modinfo_wants_an_elf_file_of_64_bits() -> None:
    with pytest.raises(FormatError, match="64-bit"):
        modinfo(b"\x7fELF\x01\x01" + bytes(100))
