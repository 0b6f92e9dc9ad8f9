"""What ubtest needs from the machine: one table for `run`, `ubtest doctor` and the setup.

Standard library only: the setup runs this before the virtual environment exists.
"""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Requirement:
    """One Debian package, the program or file that proves that it is there, and why it is needed.

    :param proof: a program's name, the absolute path of a file, or ``python:`` and a module.
    :param version: arguments that make the program print its version; empty when it has none.
    """

    package: str
    proof: str
    why: str
    version: tuple[str, ...] = ("--version",)

    @property
    def found(self) -> str | None:
        """Where it is, or None."""
        if self.proof.startswith("python:"):
            module = importlib.util.find_spec(self.proof.removeprefix("python:"))
            return module.origin if module else None
        if self.proof.startswith("/"):
            return self.proof if Path(self.proof).exists() else None
        return which(self.proof)


def which(program: str) -> str | None:
    """Where a program is; system programs too, which a user's PATH may leave out."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


PYTHON = (
    Requirement("python3-venv", "python:ensurepip", "makes the virtual environment", ()),
    Requirement("ca-certificates", "/etc/ssl/certs/ca-certificates.crt", "downloads by https", ()),
)
BUILD = (
    Requirement("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc", "compiles U-Boot for arm64"),
    Requirement("gcc-arm-linux-gnueabihf", "arm-linux-gnueabihf-gcc", "compiles U-Boot for arm"),
    Requirement(
        "libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/lib/libc.a", "links the VFIO probe", ()
    ),
    Requirement("gcc", "gcc", "compiles U-Boot's host tools"),
    Requirement("libc6-dev", "/usr/include/stdlib.h", "U-Boot's host tools", ()),
    Requirement("make", "make", "builds U-Boot"),
    Requirement("bison", "bison", "Kconfig's parser"),
    Requirement("flex", "flex", "Kconfig's scanner"),
    Requirement("bc", "bc", "U-Boot's build"),
    Requirement("libssl-dev", "/usr/include/openssl/ssl.h", "U-Boot's host tools", ()),
    Requirement("libgnutls28-dev", "/usr/include/gnutls/gnutls.h", "mkeficapsule", ()),
    Requirement("uuid-dev", "/usr/include/uuid/uuid.h", "mkeficapsule", ()),
    Requirement("swig", "swig", "binman, in a sandbox build", ("-version",)),
    Requirement("python3-dev", "/usr/bin/python3-config", "binman, in a sandbox build", ()),
    Requirement(
        "python3-setuptools",
        "/usr/lib/python3/dist-packages/setuptools",
        "binman, in a sandbox build",
        (),
    ),
    Requirement(
        "efitools", "cert-to-efi-sig-list", "U-Boot since 2025.07 links the capsule key in"
    ),
)
SOURCE = (
    Requirement("dpkg-dev", "dpkg-source", "unpacks U-Boot's source package"),
    Requirement("apt", "/usr/lib/apt/apt-helper", "downloads U-Boot's source package", ()),
    Requirement("patch", "patch", "applies the patches of the source package"),
    Requirement("bzip2", "bzip2", "unpacks the source package"),
    Requirement("xz-utils", "xz", "unpacks the source package"),
    Requirement("git", "git", "builds from a git revision"),
)
BOARD = (
    Requirement(
        "qemu-system-arm", "qemu-system-aarch64", "boards/qemu-arm64.yaml and qemu-arm.yaml"
    ),
    Requirement("qemu-system-x86", "qemu-system-x86_64", "the board of boards/qemu-x86_64.yaml"),
    Requirement("qemu-utils", "qemu-img", "disk images that can go back to a snapshot"),
    Requirement("util-linux", "setpriv", "programs end when the run that started them is killed"),
    Requirement("device-tree-compiler", "fdtput", "puts the capsule key into the device tree"),
    Requirement("mtools", "mformat", "makes FAT file systems"),
    Requirement("e2fsprogs", "mke2fs", "makes root file systems for the target", ("-V",)),
    Requirement("clang-14", "clang-14", "compiles the boot probe of images/probe"),
    Requirement("lld-14", "lld-link-14", "links the boot probe"),
    Requirement("sbsigntool", "sbsign", "signs EFI images for Secure Boot"),
)
TESTS = (
    Requirement("openssl", "openssl", "second opinion on signatures", ("version",)),
    Requirement("gdisk", "sgdisk", "second opinion on partition tables"),
    Requirement("fdisk", "sfdisk", "second opinion on the partition tables of old PCs"),
    Requirement("genisoimage", "isoinfo", "second opinion on CD images"),
    Requirement("dosfstools", "fsck.fat", "second opinion on FAT", ()),
    Requirement("cpio", "cpio", "second opinion on initramfs"),
)
REQUIREMENTS = PYTHON + SOURCE + BUILD + BOARD + TESTS


def package_of(program: str) -> str | None:
    """The Debian package that provides a program of the table."""
    return next((r.package for r in REQUIREMENTS if r.proof == program), None)
