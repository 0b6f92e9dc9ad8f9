"""A kernel with all that a board needs to boot it and the checks need to judge it."""

import json
import os
import re
import shutil
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Say
from ubtest.firmware.config import Kconfig
from ubtest.firmware.folder import content_key, locked, using, whole
from ubtest.kernel import debian
from ubtest.kernel.initramfs import INIT, initramfs
from ubtest.kernel.module_table import WANTED
from ubtest.kernel.modules import ModuleTree
from ubtest.kernel.own import OwnKernel, own
from ubtest.kernel.programs import programs
from ubtest.project import cache

DEFAULT = "debian:6.1"
MANIFEST = "manifest.json"
LARGE = 32 << 20  # bytes of an initramfs that make one wait; modules with debug information do
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
    :param modules: lib/modules/RELEASE, the whole tree as packaged; absent when it has none.
    :param dtbs: the package's device trees; absent when it has none.
    :param config: the `.config` it was built with.
    :param manifest: where it came from, such as the revisions of the packages.
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
    manifest: dict[str, str]


def get(origin: str = DEFAULT, say: Say = lambda _: None, *, refresh: bool = False) -> KernelBundle:
    """The kernel of an origin, fetched when it is not in the cache yet.

    :param origin: "debian:VERSION", or a path to an Image or to a folder with one.
    :param say: told what takes time.
    :param refresh: ask the mirror for a newer revision of what is in the cache, too.
    :raises CaseError: no such origin, or a kernel that cannot be taken.
    :raises HostError: no mirror, no such version, or no room.
    """
    known = [] if refresh else _known(origin)
    if not known:
        with locked("kernels", f"fetching the kernel {origin}", say):
            known = [] if refresh else _known(origin)
            known = known or [_made(origin, say, refresh)]
    return _open(known[0], say)


def debian_version(origin: str) -> str | None:
    """The version in "debian:VERSION"; None for a path.

    :raises CaseError: it is not upstream's.
    """
    kind, colon, version = origin.partition(":")
    if kind != "debian" or not colon:
        return None
    debian.check(version)
    return version


def find(origin: str = DEFAULT) -> KernelBundle:
    """The kernel of an origin, as it is in the cache.

    :raises CaseError: no such origin, or a user's kernel that cannot be taken.
    :raises HostError: it is not there, or a user's kernel is another one by now; names the
        command that fetches it.
    """
    if known := _known(origin):
        return _open(known[0], lambda _: None)
    raise HostError(
        f"the kernel {origin} is not in the cache", next_step=f"ubtest kernel get {origin}"
    )


def kernels() -> Path:
    """The cache's folder of kernels: one folder an origin, in it one a content key."""
    return cache() / "kernels"


def initrds() -> Path:
    """The cache's folder of initramfs: one folder a content key."""
    return cache() / "initrds"


def lock_of(folder: Path) -> str:
    """The lock that the users of a kernel or of an initramfs share."""
    return f"kernel-{folder.parent.name}-{folder.name}"


def folders(name: str) -> list[Path]:
    """What the cache has by the name of an origin's folder or "*", what came last first."""
    found = kernels().glob(f"{name}/[!.]*/{MANIFEST}")
    return [path.parent for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def _known(origin: str) -> list[Path]:
    """What the cache has of an origin, what came last first."""
    if version := debian_version(origin):
        return folders(f"debian-{version}")
    return [place for place in [_place(origin, own(Path(origin)))] if place.is_dir()]


def _made(origin: str, say: Say, refresh: bool) -> Path:
    version = debian_version(origin)
    if version is None:
        return _take(origin, own(Path(origin)), say)
    packages = debian.locate(version, say, refresh=refresh)
    try:
        return _unpack(version, packages, say)
    except HostError:
        if refresh:
            raise
        # The mirror may have moved on to the next revision since the lists were fetched
        return _unpack(version, debian.locate(version, say, refresh=True), say)


def _unpack(version: str, packages: debian.Packages, say: Say) -> Path:
    folder = kernels() / f"debian-{version}" / _digest(FORMAT, packages.facts["sha256"])
    if folder.is_dir():
        (folder / MANIFEST).touch()  # it is what came last
        return folder
    with whole(folder) as draft:
        packages.unpack(draft, say)
        _describe(draft, {"origin": f"debian:{version}", **packages.facts})
    return folder


def _place(origin: str, kernel: OwnKernel) -> Path:
    """Where a user's kernel is in the cache: another Image or other modules, another folder."""
    path = Path(origin).resolve()
    name = re.sub(r"[^\w.+-]+", "-", path.name).strip("-.") or "kernel"
    files = [kernel.busybox, *sorted(kernel.modules.rglob("*.ko*") if kernel.modules else [])]
    states = [(str(f), (s := f.stat()).st_size, s.st_mtime_ns) for f in files if f]
    key = _digest(FORMAT, kernel.image.read_bytes(), kernel.config.lines(), states)
    return kernels() / f"{name}-{_digest(str(path))[:8]}" / key


def _take(origin: str, kernel: OwnKernel, say: Say) -> Path:
    folder = _place(origin, kernel)
    if folder.is_dir():
        return folder
    with whole(folder) as draft:
        shutil.copyfile(kernel.image, draft / "Image")
        (draft / "config").write_text(kernel.config.lines())
        if kernel.busybox:
            shutil.copyfile(kernel.busybox, draft / "busybox")
        said = str(kernel.busybox) if kernel.busybox else debian.fetch_busybox(draft, say)
        facts = {"origin": str(Path(origin).resolve()), "release": kernel.release, "busybox": said}
        links = {f"lib/modules/{kernel.release}": kernel.modules, "dtbs": kernel.dtbs}
        for name, target in links.items():
            if target:
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).symlink_to(target.resolve())
        _describe(draft, facts)
    return folder


def manifest(folder: Path) -> dict[str, str]:
    """What a kernel's folder says about itself.

    :raises CaseError: it is damaged.
    """
    try:
        facts: dict[str, str] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise CaseError(
            f"{folder} is damaged: {error}", next_step="remove it and get the kernel again"
        ) from error
    return facts


def _describe(folder: Path, facts: dict[str, str]) -> None:
    (folder / MANIFEST).write_text(json.dumps(facts, indent=1) + "\n")


def _open(folder: Path, say: Say) -> KernelBundle:
    """A kernel of the cache; it and its initramfs stay there as long as the object lives."""
    with ExitStack() as stack:
        _hold(folder, stack)
        facts = manifest(folder)
        release = facts["release"]
        modules = folder / "lib" / "modules" / release
        initrd = _initrd(folder, ModuleTree(modules), say)
        _hold(initrd.parent, stack)
        bundle = KernelBundle(
            path=folder,
            origin=facts["origin"],
            release=release,
            version=debian.upstream(release),
            image=folder / "Image",
            initrd=initrd,
            modules=modules,
            dtbs=folder / "dtbs",
            config=Kconfig.read(folder / "config"),
            manifest=facts,
        )
        weakref.finalize(bundle, stack.pop_all().close)
    return bundle


def _hold(folder: Path, stack: ExitStack) -> None:
    if (held := using(lock_of(folder))) is not None:
        stack.callback(os.close, held)


def _initrd(folder: Path, tree: ModuleTree, say: Say) -> Path:
    """The initramfs of a kernel; packed again when one of its programs has changed."""
    members = [*programs(say)]
    inputs = [FORMAT, lock_of(folder), WANTED, INIT.read_bytes()]
    target = initrds() / _digest(
        *inputs, *((each.path, each.mode) for each in members), *(each.content for each in members)
    )
    if not target.is_dir():
        with locked("initrds", f"packing the initramfs of {tree.release}", say):
            if not target.is_dir():
                say(f"packing the initramfs of {tree.release}")
                with whole(target) as draft:
                    packed = initramfs(tree, (folder / "busybox").read_bytes(), members)
                    (draft / "initrd.gz").write_bytes(packed)
                if len(packed) > LARGE:
                    say(f"{len(packed) >> 20} MiB: strip the modules, with INSTALL_MOD_STRIP=1")
    return target / "initrd.gz"


def _digest(*parts: object) -> str:
    raw = (part if isinstance(part, bytes) else repr(part).encode() for part in parts)
    return content_key(raw, 12)
