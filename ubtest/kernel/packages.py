"""Debian's packages for the target with all that they need: fetched and unpacked here, nothing of
them is run."""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import HostError
from ubtest.firmware.apt import Apt, Say, mirror
from ubtest.kernel.debian import ARCHITECTURE
from ubtest.project import cache
from ubtest.run import run

_HELPER = "/usr/lib/apt/apt-helper"
_AT_ONCE = 50  # files for one call of apt-helper


@dataclass(frozen=True)
class Download:
    """A file of the archive.

    :param size: bytes.
    """

    uri: str
    name: str
    size: int
    sha256: str


def archive(suite: str, architecture: str = ARCHITECTURE) -> Apt:
    """The private apt of a suite and an architecture; SOURCES for source packages.

    :raises HostError: no Debian machine, or no mirror.
    """
    name = f"{suite}-{architecture}" if architecture else suite
    return Apt(cache() / "apt" / name, mirror(), suite, architecture)


def closure(apt: Apt, packages: Sequence[str], say: Say) -> tuple[Download, ...]:
    """What an installation of these onto an empty target downloads; recommended ones not.

    The package lists are fetched first where they do not know one of the packages.

    :raises HostError: the suite lacks a package or something that it depends on; says apt's words.
    """
    if any(apt.package(name) is None for name in packages):
        apt.refresh(say)
    words = ("--no-install-recommends", "-o", "Acquire::ForceHash=SHA256", "--print-uris", "-y")
    try:
        said = apt.run("apt-get", "-q", *words, "install", *packages)
    except HostError as error:
        raise HostError(
            f"{apt.suite} has no {' or '.join(packages)} for {apt.architecture} that can be "
            f"installed: {error.message.splitlines()[-1]}",
            next_step="check the network and the mirror of this machine's apt",
        ) from error
    return listed(said)


def listed(said: str) -> tuple[Download, ...]:
    """The files that `apt-get --print-uris` lists."""
    found = re.findall(r"^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})", said, re.MULTILINE)
    return tuple(Download(uri, name, int(size), digest) for uri, name, size, digest in found)


def fetch(apt: Apt, downloads: Iterable[Download], folder: Path, say: Say) -> list[Path]:
    """Download files and check their hashes.

    :raises HostError: one cannot be had, as when the mirror has moved on.
    """
    wanted = list(downloads)
    megabytes = sum(each.size for each in wanted) / 1e6
    say(f"downloading {len(wanted)} files of {apt.suite} ({megabytes:.1f} MB)")
    paths = [folder / each.name for each in wanted]
    for start in range(0, len(wanted), _AT_ONCE):
        words: list[str] = []
        for each, path in zip(wanted[start:], paths[start : start + _AT_ONCE], strict=False):
            words += [each.uri, str(path), f"SHA256:{each.sha256}"]
        apt.run(_HELPER, "download-file", *words)
    return paths


def unpack(archives: Iterable[Path], tree: Path) -> None:
    """Unpack packages into a folder and remove their files.

    :raises HostError: one is damaged.
    """
    tree.mkdir(parents=True, exist_ok=True)
    for path in archives:
        run(["dpkg-deb", "-x", path, tree], timeout=600)
        path.unlink()


def install(apt: Apt, packages: Sequence[str], tree: Path, say: Say) -> tuple[Download, ...]:
    """Unpack packages and all that they need into a folder; no maintainer script runs.

    :returns: what was unpacked.
    :raises HostError: as :func:`closure`; tried once more with new package lists.
    """
    downloads = closure(apt, packages, say)
    room = tree.with_name(f"{tree.name}.debs")
    room.mkdir(parents=True)
    try:
        archives = fetch(apt, downloads, room, say)
    except HostError:
        apt.refresh(say)
        downloads = closure(apt, packages, say)
        archives = fetch(apt, downloads, room, say)
    say(f"unpacking {len(archives)} packages")
    unpack(archives, tree)
    shutil.rmtree(room)
    return downloads
