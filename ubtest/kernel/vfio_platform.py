"""Builds vfio-platform for a Debian kernel, which comes without it: the kernel's own sources
against its headers, and reset functions of images/vfio-platform, without which nothing binds."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Apt, Say, Stanza
from ubtest.firmware.folder import content_key, locked, whole
from ubtest.kernel.bundle import KernelBundle
from ubtest.kernel.debian import SUITES
from ubtest.kernel.packages import Download, archive, closure, fetch, unpack
from ubtest.project import Project, cache
from ubtest.run import run

CROSS = "aarch64-linux-gnu-"
SOURCE = "drivers/vfio/platform"  # in Linux' tree
# In the order in which they are loaded
MODULES = ("vfio-platform-base", "vfio-platform")
FORMAT = 1  # rises when the same sources give other modules
SETTINGS = (
    "ARCH=arm64",
    f"CROSS_COMPILE={CROSS}",
    f"CC={CROSS}gcc",
    "CONFIG_VFIO_PLATFORM=m",
    "CONFIG_VFIO_PLATFORM_BASE=m",
    "CONFIG_DEBUG_INFO_BTF_MODULES=",  # wants pahole, and the kernel's own types
    # The kernel's gcc aligns every function. One before 14 cannot, and 6.12 dies of a module whose
    # functions lie otherwise where ftrace patches them: it finds none to patch.
    "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=",
    "CC_FLAGS_FTRACE=",
)
_BY_HAND = "the modules of a kernel of your own are your build's: CONFIG_VFIO_PLATFORM=m"


@dataclass(frozen=True)
class PlatformModules:
    """The modules of one kernel, without debug information."""

    folder: Path

    @property
    def drivers(self) -> tuple[Path, ...]:
        """vfio-platform and what it stands on, in the order of loading."""
        return tuple(self.folder / f"{name}.ko" for name in MODULES)

    def reset(self, name: str) -> Path:
        """The reset functions of a kind of device: "virtio_mmio"."""
        return self.folder / f"reset_{name}.ko"


def find(kernel: KernelBundle) -> PlatformModules:
    """The modules as they are in the cache.

    :raises HostError: they are not there; names the command that builds them.
    """
    folder = _folder(kernel)
    if not folder.is_dir():
        raise HostError(
            f"vfio-platform is not built for Linux {kernel.release}",
            next_step=f"ubtest kernel vfio-platform {kernel.origin}",
        )
    return PlatformModules(folder)


def get(kernel: KernelBundle, say: Say = lambda _: None) -> PlatformModules:
    """The modules, built when they are not in the cache yet.

    :param say: told what takes time.
    :raises CaseError: the kernel is not Debian's, or the project has no reset functions.
    :raises HostError: no mirror, other headers than the kernel's, or no compiler.
    """
    folder = _folder(kernel)
    if not folder.is_dir():
        with locked("kernels", f"builds vfio-platform for Linux {kernel.release}", say):
            if not folder.is_dir():
                with whole(folder) as draft:
                    _make(kernel, draft, say)
    return PlatformModules(folder)


def _folder(kernel: KernelBundle) -> Path:
    own = [content for path in _resets() for content in (path.name.encode(), path.read_bytes())]
    parts = [
        repr((FORMAT, SETTINGS)).encode(),
        kernel.manifest.get("package", kernel.release).encode(),
        *own,
    ]
    return cache() / "vfio-platform" / f"{kernel.release}-{content_key(parts, 12)}"


def _resets() -> list[Path]:
    folder = Project.find().root / "images" / "vfio-platform"
    if not (found := sorted(folder.glob("reset_*.c"))):
        raise CaseError(
            f"no reset functions in {folder}",
            next_step="copy the folder images/vfio-platform from ubtest's checkout",
        )
    return found


def _make(kernel: KernelBundle, folder: Path, say: Say) -> None:
    suites = [name for name, version in SUITES.items() if version == kernel.version]
    if not kernel.origin.startswith("debian:") or not suites:
        raise CaseError(f"{kernel.origin} has no headers at Debian's mirror", next_step=_BY_HAND)
    room = folder / "build"
    headers = _headers(archive(suites[0]), kernel, room, say)
    source = _source(archive(suites[0]), kernel, room, say)
    for path in _resets():
        shutil.copyfile(path, source / "reset" / path.name)
    names = "".join(f"obj-m += {path.stem}.o\n" for path in _resets())
    (source / "reset" / "Makefile").write_text(names)
    say(f"compiling vfio-platform for Linux {kernel.release}")
    _compile(headers, source)
    for path in sorted(source.rglob("*.ko")):
        run([f"{CROSS}strip", "--strip-debug", "-o", folder / path.name, path])
    shutil.rmtree(room)


def _revision(kernel: KernelBundle) -> str:
    """Debian's version of the kernel in the cache: the one that sources and headers must have."""
    return kernel.manifest.get("package", "").partition(" ")[2]


def _headers(apt: Apt, kernel: KernelBundle, room: Path, say: Say) -> Path:
    """The headers of this very kernel, as a folder that its modules can be built in."""
    tree, host = room / "headers", _host()
    package = f"linux-headers-{kernel.release}"
    _same(apt, package, kernel, say)
    tools = archive(apt.suite, host)
    # Of what the headers depend on, the compiler is ours and the programs must run here
    wanted = [d for d in closure(apt, [package], say) if d.name.startswith("linux-headers-")]
    kbuild = _kbuild(apt, package)
    names = (f"{kbuild}_", "libc6_")
    wanted += [d for d in closure(tools, [kbuild], say) if d.name.startswith(names)]
    _unpack(apt, wanted, tree, say)
    _with_its_libc(tree)
    top = tree / "usr" / "src"
    makefile = top / package / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{top}/"))
    return top / package


def _with_its_libc(tree: Path) -> None:
    """Let modpost run with the C library it was built for: this machine's may be older."""
    [modpost] = tree.glob("usr/lib/linux-kbuild-*/scripts/mod/modpost")
    loader = next(iter(sorted(tree.rglob("ld-linux*.so.*"))))
    [library] = {path.parent for path in tree.rglob("libc.so.6")}
    # What stands under the plain name only chooses one of these by byte order and width
    real = modpost.with_name("modpost.real-lsb-64")
    modpost.write_text(f'#!/bin/sh\nexec {loader} --library-path {library} {real} "$@"\n')
    modpost.chmod(0o755)


def _host() -> str:
    return run(["dpkg", "--print-architecture"]).text.strip()


def _kbuild(apt: Apt, package: str) -> str:
    depends = (apt.package(package) or {}).get("Depends", "")
    found = re.search(r"linux-kbuild-[^ ,:]+", depends)
    if found is None:
        raise HostError(f"{package} names no linux-kbuild: {depends}", next_step=_BY_HAND)
    return found[0]


def _same(apt: Apt, package: str, kernel: KernelBundle, say: Say) -> Stanza:
    """The mirror's package of the very revision of the kernel in the cache."""
    there, revision = apt.package(package), _revision(kernel)
    if there is None:
        apt.refresh(say)
        there = apt.package(package)
    if there is None or there["Version"] != revision:
        has = there["Version"] if there else "none"
        raise HostError(
            f"the kernel in the cache is Debian's {revision}, the mirror's {package} is {has}",
            next_step=f"ubtest kernel get --refresh {kernel.origin}",
        )
    return there


def _source(apt: Apt, kernel: KernelBundle, room: Path, say: Say) -> Path:
    """The driver's sources, with Debian's patches, from its package of the whole kernel's.

    Not from the source package: mirrors drop its archive now and then.
    """
    package = _same(apt, f"linux-source-{kernel.version}", kernel, say)
    path = apt.fetch(package, room, say)
    say(f"taking {SOURCE} out of {path.name}")
    unpack([path], room / "source")
    [archived] = (room / "source" / "usr" / "src").glob("linux-source-*.tar.*")
    words = ("--strip-components=1", "--wildcards", f"*/{SOURCE}")
    run(["tar", "-xf", archived, "-C", room, *words], timeout=600)
    return room / SOURCE


def _unpack(apt: Apt, wanted: list[Download], tree: Path, say: Say) -> None:
    tree.mkdir(parents=True)
    unpack(fetch(apt, wanted, tree.parent, say), tree)


def _compile(headers: Path, source: Path) -> None:
    run(["make", "-s", "-C", headers, f"M={source}", *SETTINGS, "modules"], timeout=600)
