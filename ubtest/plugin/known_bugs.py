"""Bugs of U-Boot and of Linux that are known upstream: a test that shows one fails there,
strictly."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ubtest.errors import CaseError
from ubtest.firmware.versions import Version


@dataclass(frozen=True)
class Kernels:
    """The releases of Linux that have a bug, each as (major, minor); None as in KnownBug."""

    broken: tuple[int, int] | None
    fixed: tuple[int, int] | None
    last_seen: tuple[int, int] | None

    def affected(self, version: str) -> bool:
        at = _linux(version)
        return (
            (self.broken is None or at >= self.broken)
            and (self.fixed is None or at < self.fixed)
            and (self.last_seen is None or at <= self.last_seen)
        )


@dataclass(frozen=True)
class KnownBug:
    """One entry of ``cases/known_bugs.yaml``.

    :param broken: first version known to have it; None for "as far back as we looked".
    :param fixed: first version without it; None while it is open.
    :param last_seen: newest version that was seen with it, where the fix is not known.
    :param commit: the fix in the project's history, or what is known about it.
    :param kernels: of a bug of Linux, where the versions above say nothing.
    """

    name: str
    title: str
    broken: Version | None
    fixed: Version | None
    last_seen: Version | None
    commit: str
    kernels: Kernels | None = None

    def affects(self, version: str) -> bool:
        """Whether this version of U-Boot is known to have the bug."""
        at = Version.parse(version)
        return (
            (self.broken is None or at >= self.broken)
            and (self.fixed is None or at < self.fixed)
            and (self.last_seen is None or at <= self.last_seen)
        )

    def __str__(self) -> str:
        until = f"fixed in {self.fixed} ({self.commit})" if self.fixed else self.commit
        return f"known bug {self.name}: {self.title}; {until}"


@cache
def known_bugs() -> dict[str, KnownBug]:
    """The table, by name."""
    text = files("ubtest.cases").joinpath("known_bugs.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {name: _entry(name, said) for name, said in table.items()}


def known_bug(name: str) -> KnownBug:
    """One entry.

    :raises CaseError: there is no such entry.
    """
    try:
        return known_bugs()[name]
    except KeyError:
        raise CaseError(f"no known bug `{name}`: one of {', '.join(known_bugs())}") from None


def _entry(name: str, said: dict[str, Any]) -> KnownBug:
    return KnownBug(
        name,
        said["title"],
        broken=_version(said, "broken"),
        fixed=_version(said, "fixed"),
        last_seen=_version(said, "last_seen"),
        commit=said["commit"],
        kernels=_kernels(said["linux"]) if "linux" in said else None,
    )


def _version(said: dict[str, Any], key: str) -> Version | None:
    return Version.parse(str(said[key])) if key in said else None


def _kernels(said: dict[str, Any]) -> Kernels:
    bounds = ("broken", "fixed", "last_seen")
    return Kernels(*(_linux(str(said[key])) if key in said else None for key in bounds))


def _linux(text: str) -> tuple[int, int]:
    """The release in a version of Linux: 6.12.117 is (6, 12).

    :raises CaseError: there is none.
    """
    found = re.match(r"(\d+)\.(\d+)", text)
    if not found:
        raise CaseError(f"`{text}` is not a version of Linux", next_step="write it like 6.12")
    return int(found[1]), int(found[2])
