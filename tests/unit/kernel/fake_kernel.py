"""A kernel of a few bytes: an Image, modules and a busybox with what ubtest reads in them."""

import struct

RELEASE = "6.1.0-9-arm64"


def module(release: str = RELEASE, **info: str) -> bytes:
    """A module as far as its section .modinfo goes; `alias` may hold several, with commas."""
    info = {"vermagic": f"{release} SMP mod_unload aarch64", **info}
    aliases = info.pop("alias", "").split(",")
    texts = [f"{name}={value}" for name, value in info.items()]
    texts += [f"alias={alias}" for alias in aliases if alias]
    section = b"\0".join(text.encode() for text in texts) + b"\0"
    names = b"\0.modinfo\0.shstrtab\0"
    place = 64
    table = place + len(section) + len(names)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 1, 0xB7, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2
    )
    sections = (
        (0, 0, 0),
        (1, place, len(section)),
        (10, place + len(section), len(names)),
    )
    rows = [struct.pack("<I20xQQ24x", *each) for each in sections]
    return header + section + names + b"".join(rows)


def image(release: str = RELEASE, machine: int = 0xAA64) -> bytes:
    """An arm64 Image whose PE header names a machine."""
    head = bytearray(128)
    head[:2] = b"MZ"
    head[0x38:0x3C] = b"ARM\x64"
    head[0x3C:0x40] = struct.pack("<I", 0x40)
    head[0x40:0x46] = struct.pack("<4sH", b"PE", machine)
    return bytes(head) + f"Linux version {release} (me@here) #1 SMP\0".encode()


def busybox(without: str = "") -> bytes:
    """Its table of names."""
    names = "ash base64 cat chmod crc32 cttyhack cut date dd devmem dmesg find grep gunzip gzip "
    names += "head ifconfig insmod ip kill ln ls lsmod mkdir mknod modprobe mount ping ps readlink "
    names += "rm rmmod sed setsid sh sha256sum sleep sort stat stty switch_root sync tail tar tftp "
    names += "timeout tr udhcpc umount uname wc xargs"
    kept = [name for name in ["[", "[[", *names.split()] if name != without]
    return b"\x7fELF code \0" + "\0".join(kept).encode() + b"\0\xff"


def modules(release: str) -> dict[str, bytes]:
    """Some of a kernel's modules: the path below lib/modules/RELEASE -> the file."""
    return {
        "kernel/vfio/vfio.ko": module(release, alias="devname:vfio/vfio,char-major-10-196"),
        "kernel/vfio/vfio-pci-core.ko": module(release, depends="vfio"),
        "kernel/vfio/vfio-pci.ko": module(
            release, depends="vfio-pci-core,vfio", alias="vfio_pci:v*d*"
        ),
        "kernel/vfio/vfio_iommu_type1.ko": module(release, depends="vfio"),
        "kernel/fs/ext4.ko": module(
            release, depends="jbd2", softdep="pre: crypto-crc32c post: later"
        ),
        "kernel/fs/jbd2.ko": module(release),
        "kernel/crypto/crc32c_generic.ko": module(release, alias="crc32c,crypto-crc32c"),
        "kernel/net/unwanted.ko": module(release),
    }
