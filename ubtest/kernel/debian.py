"""A kernel as Debian packages it for arm64."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Apt, Say, Stanza, mirror
from ubtest.project import cache
from ubtest.run import run

# Suite -> the version it carries as far as one knows; that suite is asked first, then the others
SUITES = {"bookworm": "6.1", "trixie": "6.12", "sid": ""}
ARCHITECTURE = "arm64"
METAPACKAGE = "linux-image-arm64"
BUSYBOX = "busybox-static"

Take = Callable[[Path, Path], None]  # from the unpacked package into a folder


@dataclass(frozen=True)
class Packages:
    """What a suite has for us."""

    apt: Apt
    kernel: Stanza
    busybox: Stanza

    @property
    def release(self) -> str:
        """As `uname -r` prints it."""
        return self.kernel["Package"].removeprefix("linux-image-")

    @property
    def facts(self) -> dict[str, str]:
        """What came, for the manifest."""
        return {
            "release": self.release,
            "package": f"{self.kernel['Package']} {self.kernel['Version']}",
            "busybox": f"{BUSYBOX} {self.busybox['Version']}",
            "sha256": f"{self.kernel['SHA256']} {self.busybox['SHA256']}",
        }

    def unpack(self, folder: Path, say: Say) -> None:
        """Fill a folder with Image, config, busybox, dtbs and lib/modules/RELEASE.

        :raises HostError: a package cannot be had, as when the mirror has moved on.
        """
        for package, take in ((self.kernel, self._take_kernel), (self.busybox, _take_busybox)):
            _unpack(self.apt, package, folder, say, take)

    def _take_kernel(self, tree: Path, folder: Path) -> None:
        (tree / "boot" / f"vmlinuz-{self.release}").rename(folder / "Image")
        (tree / "boot" / f"config-{self.release}").rename(folder / "config")
        # Since trixie everything is below /usr
        modules = Path("lib", "modules", self.release)
        (folder / modules).parent.mkdir(parents=True)
        top = tree if (tree / modules).is_dir() else tree / "usr"
        (top / modules).rename(folder / modules)
        dtbs = tree / "usr" / "lib" / f"linux-image-{self.release}"
        if dtbs.is_dir():
            dtbs.rename(folder / "dtbs")


def _unpack(apt: Apt, package: Stanza, folder: Path, say: Say, take: Take) -> None:
    archive = apt.fetch(package, folder, say)
    say(f"unpacking {package['Package']} {package['Version']}")
    tree = folder / "unpacked"
    run(["dpkg-deb", "-x", archive, tree], timeout=600)
    take(tree, folder)
    shutil.rmtree(tree)
    archive.unlink()


def _take_busybox(tree: Path, folder: Path) -> None:
    top = tree / "bin" if (tree / "bin").is_dir() else tree / "usr" / "bin"
    (top / "busybox").rename(folder / "busybox")


def fetch_busybox(folder: Path, say: Say) -> str:
    """Put Debian's busybox into a folder, for a kernel that is not Debian's.

    :returns: which one came.
    :raises HostError: no Debian machine, or no mirror.
    """
    site = mirror()
    failure: HostError | None = None
    for apt in (_apt(site, suite) for suite in SUITES):
        for refresh in (False, True):
            complaint = apt.refresh(say) if refresh else ""
            package = apt.package(BUSYBOX)
            try:
                if package is None:
                    raise HostError(f"no {BUSYBOX} in {apt.suite}: {complaint}")
                _unpack(apt, package, folder, say, _take_busybox)
            except HostError as error:
                failure = failure or (error if refresh else None)
            else:
                return f"{BUSYBOX} {package['Version']}"
    raise HostError(
        f"no {BUSYBOX} for {ARCHITECTURE} at {site}: {failure}",
        next_step="check the network, or put a static arm64 busybox beside the kernel",
    )


def check(version: str) -> None:
    """Make sure that a version is upstream's.

    :raises CaseError: it is something else.
    """
    if not re.fullmatch(r"\d{1,2}\.\d{1,3}", version):
        raise CaseError(
            f"`debian:{version}` is not an upstream version of Linux",
            next_step="ask for one like debian:6.1 or debian:6.12: Debian's revisions come and go",
        )


def locate(version: str, say: Say, *, refresh: bool = False) -> Packages:
    """The packages of a version, by the package lists in the cache or else the mirror's.

    :param version: upstream's, such as "6.1"; never a Debian revision.
    :param refresh: fetch the lists again although they know the version.
    :raises CaseError: a Debian revision was asked for.
    :raises HostError: no Debian machine, no mirror, or no suite has this version.
    """
    check(version)
    site = mirror()
    seen, complaint = [], ""
    for suite in sorted(SUITES, key=lambda name: SUITES[name] != version):
        apt = _apt(site, suite)
        packages = None if refresh else _look(apt, version)
        if packages is None:
            said = apt.refresh(say)
            complaint = complaint or said
            packages = _look(apt, version)
        if packages is not None:
            return packages
        meta = apt.package(METAPACKAGE)
        seen.append(f"{suite} has {upstream(meta['Version']) if meta else 'none'}")
    raise HostError(
        f"no Linux {version} for arm64 at {site}: {', '.join(seen)}"
        + (f"; apt says: {complaint}" if complaint else ""),
        next_step="check the network, ask for a version that is there, or give a kernel of your "
        "own: `ubtest kernel get PATH`",
    )


def _apt(site: str, suite: str) -> Apt:
    return Apt(cache() / "apt" / f"{suite}-{ARCHITECTURE}", site, suite, ARCHITECTURE)


def _look(apt: Apt, version: str) -> Packages | None:
    """The packages of a suite, when its kernel has this version."""
    meta = apt.package(METAPACKAGE)
    if meta is None or upstream(meta["Version"]) != version:
        return None
    kernel = apt.package(meta["Depends"].split()[0])
    busybox = apt.package(BUSYBOX)
    return Packages(apt, kernel, busybox) if kernel and busybox else None


def upstream(revision: str) -> str:
    """Linux' own version in a Debian one: 6.12.117-1~deb13u1 is 6.12."""
    return ".".join(re.split(r"[.~+-]", revision)[:2])
