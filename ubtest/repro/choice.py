"""The firmware that a report is tried on: what is built, or is built now."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError, HostError
from ubtest.firmware import source
from ubtest.firmware.build import build
from ubtest.firmware.bundle import Bundle, listing
from ubtest.firmware.progress import OnProgress, Progress
from ubtest.firmware.recipe import check_current
from ubtest.firmware.versions import Version
from ubtest.project import Project

_VERSION = re.compile(r"(?:debian:)?(\d{4}\.\d{2}\S*)")
_SIGNER = "trusted"


def chosen(name: str, words: Iterable[str], project: Project, show: OnProgress) -> Iterator[Bundle]:
    """The firmware of a board that words name, oldest version first where none are given.

    :param name: of the board.
    :param words: ``2023.01``, ``debian:2023.01`` or a path; a version that is not in the cache is
        built. None for the newest build of each version in the cache.
    :raises CaseError: a word is none of these.
    :raises HostError: nothing is built, or cannot be.
    """
    there = _ready(name, project)
    named = list(words)
    if not named and not there:
        raise HostError(
            f"no firmware for {name} is built", next_step=f"ubtest firmware build {name}"
        )
    for path in [] if named else there.values():
        yield Bundle.open(path)
    for word in named:
        yield _one(name, word, there, project, show)


def _ready(name: str, project: Project) -> dict[str, Path]:
    """Version -> the bundle that was asked for last, of those that the board's file still wants."""
    found = dict[str, Path]()
    for bundle in listing():
        if bundle.board == name and not bundle.variant and bundle.version not in found:
            try:
                check_current(bundle, project)
            except CaseError:
                continue
            found[bundle.version] = bundle.path
    return dict(sorted(found.items(), key=lambda each: Version.parse(each[0])))


def _one(
    name: str, word: str, there: dict[str, Path], project: Project, show: OnProgress
) -> Bundle:
    if Path(word).exists():
        return Bundle.open(Path(word))
    version = _VERSION.fullmatch(word)
    if version is None:
        raise CaseError(
            f"`{word}` is neither a version nor a firmware",
            next_step="give a version such as 2023.01, or a bundle, build directory or u-boot.bin",
        )
    if path := there.get(version[1]):
        return Bundle.open(path)
    return built(name, f"debian:{version[1]}", project, show)


def built(name: str, origin: str, project: Project, show: OnProgress) -> Bundle:
    """The firmware of a source with this project's key: that of the cache, else built.

    :param origin: as `ubtest firmware build --source` takes it.
    """
    tree = source.resolve(origin, lambda text: show(Progress(text)))
    return built_from(tree, name, project, show)


def built_from(tree: source.Source, name: str, project: Project, show: OnProgress) -> Bundle:
    """The same of a source that is there already."""
    ring = KeyRing.load(project.keys)
    ring.make(lambda key: show(Progress(f"made the key {key}")))
    return build(
        name,
        tree,
        project=project,
        certificate=ring[_SIGNER].certificate_path,
        fingerprint=ring[_SIGNER].fingerprint,
        on_progress=show,
    )
