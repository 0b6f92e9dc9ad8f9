"""Root file systems for the target, of Debian's packages: programs that an initramfs is too small
for. They come as an ext4 image that the target mounts read-only and enters by chroot."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Say
from ubtest.firmware.folder import locked, whole
from ubtest.kernel.packages import archive, install
from ubtest.project import cache
from ubtest.run import run

SUITE = "bookworm"
IMAGE, MANIFEST = "root.img", "manifest.json"
FORMAT = 1  # rises when the same packages give another image
BLOCK = 4096
MOUNT_POINTS = ("boot", "dev", "mnt", "proc", "root", "run", "sys", "tmp")
# What nobody reads on a target: half of the smaller files
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/iso-codes",
            "usr/share/xml", "usr/share/lintian", "usr/share/info", "usr/share/bash-completion",
            "boot")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One root file system.

    :param keep: files that the host wants, too; copied out of the tree beside the image.
    """

    packages: tuple[str, ...]
    why: str
    keep: tuple[str, ...] = ()


KINDS = {
    "qemu": Kind(("qemu-system-arm",), "a guest in the target: QEMU, with KVM"),
    "xen": Kind(
        ("xen-utils-4.17", "xenstore-utils", "xen-hypervisor-4.17-arm64"),
        "Xen's hypervisor for the ESP, and xl for dom0",
        ("boot/xen-4.17-arm64.efi",),
    ),
}


@dataclass(frozen=True)
class RootFs:
    """One in the cache.

    :param packages: name of each package's file -> its SHA-256.
    """

    folder: Path
    packages: dict[str, str]

    @property
    def image(self) -> Path:
        return self.folder / IMAGE

    def kept(self, name: str) -> Path:
        """A file that was copied out of the tree, by its last name."""
        return self.folder / name


def find(name: str) -> RootFs:
    """A root file system as it is in the cache.

    :raises CaseError: there is no such kind.
    :raises HostError: it is not there; names the command that makes it.
    """
    folder = _folder(name)
    if not (folder / MANIFEST).is_file():
        raise HostError(
            f"the root file system `{name}` is not in the cache",
            next_step=f"ubtest kernel rootfs {name}",
        )
    return RootFs(folder, json.loads((folder / MANIFEST).read_text()))


def get(name: str, say: Say = lambda _: None) -> RootFs:
    """A root file system, made when it is not in the cache yet.

    :param say: told what takes time.
    :raises CaseError: there is no such kind.
    :raises HostError: no mirror, no such package, a program is missing, or no room.
    """
    folder = _folder(name)
    if not folder.is_dir():
        with locked("kernels", f"makes the root file system {name}", say):
            if not folder.is_dir():
                with whole(folder) as draft:
                    _make(KINDS[name], draft, say)
    return find(name)


def _folder(name: str) -> Path:
    if name not in KINDS:
        raise CaseError(f"no root file system `{name}`: one of {', '.join(KINDS)}")
    recipe = repr((FORMAT, SUITE, KINDS[name], MOUNT_POINTS, LEFT_OUT)).encode()
    return cache() / "rootfs" / f"{name}-{hashlib.sha256(recipe).hexdigest()[:12]}"


def _make(kind: Kind, folder: Path, say: Say) -> None:
    tree = folder / "tree"
    came = install(archive(SUITE), kind.packages, tree, say)
    for path in kind.keep:
        shutil.copyfile(tree / path, folder / Path(path).name)
    for name in LEFT_OUT:
        shutil.rmtree(tree / name, ignore_errors=True)
    for name in MOUNT_POINTS:
        (tree / name).mkdir(exist_ok=True)
    say("writing the file system")
    ext4(tree, folder / IMAGE)
    shutil.rmtree(tree)
    (folder / MANIFEST).write_text(json.dumps({each.name: each.sha256 for each in came}, indent=1))


def ext4(tree: Path, image: Path) -> None:
    """Write a folder into a new image, owned by root; no root is needed for that.

    :raises HostError: mke2fs is missing or fails.
    """
    sizes = [path.lstat().st_size for path in tree.rglob("*")]
    blocks = sum(-(-size // BLOCK) + 1 for size in sizes)
    total = (blocks * BLOCK * 21 // 20 // (1 << 20) + 8) << 20
    options = ["-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0"]
    inodes = ["-N", str(len(sizes) + 64)]
    run(["mke2fs", "-q", *options, *inodes, "-d", tree, image, f"{total // 1024}k"], timeout=300)
