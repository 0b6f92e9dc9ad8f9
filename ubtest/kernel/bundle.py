"""A kernel with all that a board needs to boot it and the checks need to judge it."""

import hashlib
import json
import os
import weakref
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Say
from ubtest.firmware.config import Kconfig
from ubtest.firmware.folder import locked, using, whole
from ubtest.kernel import debian
from ubtest.kernel.initramfs import INIT, initramfs
from ubtest.kernel.module_table import WANTED
from ubtest.kernel.modules import ModuleTree
from ubtest.kernel.programs import programs
from ubtest.project import cache

DEFAULT = "debian:6.1"
MANIFEST = "manifest.json"
FORMAT = 1  # rises when the same packages give another folder or another initramfs


@dataclass(frozen=True)
class KernelBundle:
    """A Linux for arm64 in the cache, ready to be booted.

    :param path: the folder that holds it.
    :param origin: what was asked for: "debian:6.1", or a path.
    :param release: as `uname -r` prints it, such as "6.1.0-50-arm64".
    :param version: upstream's, such as "6.1".
    :param image: the Image, with EFI stub.
    :param initrd: the initramfs, compressed.
    :param modules: lib/modules/RELEASE, the whole tree as packaged.
    :param dtbs: the package's device trees; may be empty.
    :param config: the `.config` it was built with.
    """

    path: Path
    origin: str
    release: str
    version: str
    image: Path
    initrd: Path
    modules: Path
    dtbs: Path
    config: Kconfig


def get(origin: str = DEFAULT, say: Say = lambda _: None) -> KernelBundle:
    """The kernel of an origin, fetched when it is not in the cache yet.

    :param say: told what takes time.
    :raises CaseError: no such origin, or a kernel that cannot be taken.
    :raises HostError: no mirror, no such version, or no room.
    """
    name = name_of(origin)
    with locked("kernels", f"fetching the kernel {origin}", say):
        if not (folders := _folders(name)):
            folders = [_fetch(origin, kernels() / name, say)]
    return _open(folders[0], say)


def find(origin: str = DEFAULT) -> KernelBundle:
    """The kernel of an origin, as it is in the cache.

    :raises CaseError: no such origin.
    :raises HostError: it is not there; names the command that fetches it.
    """
    if folders := _folders(name_of(origin)):
        return _open(folders[0], lambda _: None)
    raise HostError(
        f"the kernel {origin} is not in the cache", next_step=f"ubtest kernel get {origin}"
    )


def kernels() -> Path:
    """The cache's folder of kernels: one folder an origin, in it one a content key."""
    return cache() / "kernels"


def name_of(origin: str) -> str:
    """How an origin's folder is called.

    :raises CaseError: no such origin.
    """
    kind, colon, version = origin.partition(":")
    if kind != "debian" or not colon:
        raise CaseError(
            f"no kernel {origin!r}", next_step="ask for debian:6.1, debian:6.12 or a path"
        )
    debian.check(version)
    return f"debian-{version}"


def lock_of(folder: Path) -> str:
    """The lock that the users of a kernel share."""
    return f"kernel-{folder.parent.name}-{folder.name}"


def _folders(name: str) -> list[Path]:
    """What the cache has of an origin, the one that came last first."""
    found = (kernels() / name).glob(f"*/{MANIFEST}")
    return [path.parent for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def _fetch(origin: str, home: Path, say: Say) -> Path:
    version = origin.removeprefix("debian:")
    packages = debian.locate(version, say)
    try:
        return _unpack(origin, packages, home, say)
    except HostError:
        # The mirror may have moved on to the next revision since the lists were fetched
        packages = debian.locate(version, say, refresh=True)
        return _unpack(origin, packages, home, say)


def _unpack(origin: str, packages: debian.Packages, home: Path, say: Say) -> Path:
    target = home / _digest(str(FORMAT).encode(), packages.facts["sha256"].encode())
    with whole(target) as draft:
        packages.unpack(draft, say)
        facts = {"origin": origin, **packages.facts}
        (draft / MANIFEST).write_text(json.dumps(facts, indent=1))
    return target


def _open(folder: Path, say: Say) -> KernelBundle:
    """A kernel of the cache; it and its initramfs stay there as long as the object lives."""
    held = using(lock_of(folder))
    facts = json.loads((folder / MANIFEST).read_text())
    release = facts["release"]
    modules = folder / "lib" / "modules" / release
    bundle = KernelBundle(
        path=folder,
        origin=facts["origin"],
        release=release,
        version=debian.upstream(release),
        image=folder / "Image",
        initrd=_initrd(folder, ModuleTree(modules), say),
        modules=modules,
        dtbs=folder / "dtbs",
        config=Kconfig.read(folder / "config"),
    )
    if held is not None:
        weakref.finalize(bundle, os.close, held)
    return bundle


def _initrd(folder: Path, tree: ModuleTree, say: Say) -> Path:
    """The initramfs of a kernel; packed again when one of its programs has changed."""
    members = [*programs(say)]
    inputs = (FORMAT, str(folder), WANTED, [(each.path, each.mode) for each in members])
    contents = (each.content for each in members)
    key = _digest(repr(inputs).encode(), INIT.read_bytes(), *contents)
    target = cache() / "initrds" / key
    if not target.is_dir():
        with locked("initrds", f"packing the initramfs of {tree.release}", say):
            if not target.is_dir():
                say(f"packing the initramfs of {tree.release}")
                with whole(target) as draft:
                    packed = initramfs(tree, (folder / "busybox").read_bytes(), members)
                    (draft / "initrd.gz").write_bytes(packed)
    return target / "initrd.gz"


def _digest(*parts: bytes) -> str:
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(digests).hexdigest()[:12]
