"""U-Boot's source: a Debian package, a tree on the disk, or a revision of a git repository."""

import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware import debian
from ubtest.firmware.folder import locked, whole
from ubtest.firmware.versions import Version
from ubtest.project import cache
from ubtest.run import require, run

DEFAULT = "debian:2025.01"

Say = Callable[[str], None]
# Looking at a user's repository must not even refresh its index
_READ_ONLY = {"GIT_OPTIONAL_LOCKS": "0"}


@dataclass(frozen=True)
class Source:
    """A tree of U-Boot that can be built.

    :param tree: its top folder; nothing here writes into it.
    :param version: such as "2025.01" or "2026.10-rc2".
    :param revision: Debian's package version or git's commit; empty for a plain folder.
    :param identity: equal for equal content: part of the key of what is built from it.
    :param epoch: the time that the build writes into the binary, in seconds since 1970.
    """

    tree: Path
    version: str
    revision: str
    identity: str
    epoch: int


def resolve(text: str, say: Say) -> Source:
    """The source that `--source` names: `debian:VERSION`, `PATH` or `PATH@REVISION`.

    :param say: told in words what takes time.
    :raises CaseError: no such folder or revision, or it is not U-Boot.
    :raises HostError: the package cannot be had.
    """
    if text.startswith("debian:"):
        tree, revision = debian.fetch(text.removeprefix("debian:"), say)
        version = version_of(tree)
        return Source(tree, version, revision, f"debian:{revision}", _release_day(version))
    path, _, name = text.rpartition("@")
    if path and Path(path).is_dir() and not Path(text).exists():
        return _revision(Path(path).resolve(), name, say)
    if not text or not Path(text).is_dir():
        raise CaseError(
            f"no source at `{text}`",
            next_step="give debian:VERSION, the folder of a U-Boot tree, or FOLDER@GIT-REVISION",
        )
    return _folder(Path(text).resolve(), say)


def version_of(tree: Path, called: str = "") -> str:
    """The version that a tree's Makefile states.

    :param called: what the user calls the tree, if not by its folder.
    :raises CaseError: the folder is not U-Boot.
    """
    makefile = tree / "Makefile"
    text = makefile.read_text(errors="replace") if makefile.is_file() else ""
    words = dict(re.findall(r"^([A-Z]+) =[ \t]*(\S*)", text, re.MULTILINE))
    # Linux numbers itself with the same words; its source has no include/u-boot
    if not words.get("VERSION") or not (tree / "include" / "u-boot").is_dir():
        raise CaseError(f"{called or tree} is not a U-Boot tree", next_step="give its top folder")
    sublevel = f".{words['SUBLEVEL']}" if words.get("SUBLEVEL") else ""
    text = f"{words['VERSION']}.{words.get('PATCHLEVEL', '')}{sublevel}"
    return str(Version.parse(text + words.get("EXTRAVERSION", "")))


def _folder(tree: Path, say: Say) -> Source:
    version = version_of(tree)
    top = _git(tree, "rev-parse", "--show-toplevel") if (tree / ".git").exists() else ""
    if not top or Path(top) != tree:
        say(f"reading {tree}")
        return Source(tree, version, "", f"tree:{_content(tree)}", _release_day(version))
    commit, epoch = _commit(tree, "HEAD")
    # In place, the build adds the commit to the version: not the same as an exported revision
    identity = f"checkout:{commit}"
    if changes := _changes(tree):
        identity += f"+{changes}"
    return Source(tree, version, commit, identity, epoch)


def _revision(repository: Path, name: str, say: Say) -> Source:
    commit, epoch = _commit(repository, name)
    home = cache() / "sources" / "git" / commit
    with locked(f"git-{commit}", f"exporting {name}", say):
        if not home.is_dir():
            say(f"exporting {name} of {repository}")
            with whole(home) as draft:
                archive = draft / ".tar"
                run(
                    ["git", "-C", repository, "archive", "--format=tar", "-o", archive, commit],
                    timeout=300,
                )
                run(["tar", "-x", "-f", archive, "-C", draft], timeout=300)
                archive.unlink()
                version_of(draft, f"{repository}@{name}")
    return Source(home, version_of(home), commit, f"git:{commit}", epoch)


def _commit(repository: Path, name: str) -> tuple[str, int]:
    shown = _git(repository, "log", "-1", "--format=%H %ct", f"{name}^{{commit}}", "--")
    if not shown:
        raise CaseError(
            f"git finds no revision `{name}` in {repository}",
            next_step="give a branch, tag or commit of that repository",
        )
    commit, epoch = shown.split()
    return commit, int(epoch)


def _changes(tree: Path) -> str:
    """A hash over what differs from HEAD and is not ignored; empty for a clean tree."""
    difference = run(["git", "-C", tree, "diff", "HEAD", "--binary"], env=_READ_ONLY).stdout
    listed = run(
        ["git", "-C", tree, "ls-files", "-z", "--others", "--exclude-standard"], env=_READ_ONLY
    ).stdout
    names = [name for name in listed.split(b"\0") if name]
    if not difference and not names:
        return ""
    digest = hashlib.sha256(difference)
    for name in names:
        _add_file(digest, os.fsencode(tree) + b"/" + name, name)
    return digest.hexdigest()


def _content(tree: Path) -> str:
    digest = hashlib.sha256()
    top = os.fsencode(tree)
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)  # noqa: PTH118 -- bytes, 30,000 times
            _add_file(digest, path, path[len(top) :])
    return digest.hexdigest()


def _add_file(digest: "hashlib._Hash", path: bytes, name: bytes) -> None:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            content = os.readlink(path)  # noqa: PTH115 -- bytes
        elif stat.S_ISREG(mode):
            with open(path, "rb") as file:
                content = file.read()
        else:
            content = b""
    except OSError as error:
        raise HostError(f"cannot read {os.fsdecode(path)}: {error.strerror}") from error
    digest.update(b"%s\0%o\0%d\0" % (name, mode, len(content)))
    digest.update(content)


def _git(repository: Path, *words: str) -> str:
    require("git")
    finished = run(["git", "-C", repository, *words], env=_READ_ONLY, check=False)
    if b"dubious ownership" in finished.stderr:
        raise HostError(
            f"git refuses {repository}: it belongs to another user",
            next_step=f"git config --global --add safe.directory {repository}",
        )
    return finished.text.strip() if finished.returncode == 0 else ""


def _release_day(version: str) -> int:
    release = Version.parse(version)
    return int(datetime(release.year, release.month, 1, tzinfo=UTC).timestamp())
