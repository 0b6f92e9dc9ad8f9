"""A range of a git repository: which commits there are, and what is known of each."""

import re
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.repro.bisect import Commit
from ubtest.repro.text import shown
from ubtest.run import require, run

_FORMAT = "%x00".join(("%H", "%P", "%an <%ae>", "%as", "%s"))


@dataclass(frozen=True)
class Revision:
    """A commit as git shows it.

    :param date: when its author wrote it, as YYYY-MM-DD.
    """

    commit: Commit
    author: str
    date: str
    subject: str

    @property
    def short(self) -> str:
        return self.commit.name[:12]

    def __str__(self) -> str:
        return f"{self.short} {self.subject} ({self.author}, {self.date})"


@dataclass(frozen=True)
class History:
    """What lies between two revisions; nothing is written into the repository.

    :param old: the revision before all others.
    :param revisions: parents before children; the last is the range's new end.
    """

    repository: Path
    old: Revision
    revisions: tuple[Revision, ...]

    @classmethod
    def read(cls, repository: Path, span: str) -> "History":
        """The commits of `OLD..NEW`.

        :raises CaseError: no repository, no such revision, or OLD is not an ancestor of NEW.
        """
        names = re.fullmatch(r"([^\s-][^\s]*?)\.\.([^\s.-][^\s]*)", span)
        if not names:
            raise CaseError(
                f"`{span}` is not a range", next_step="write it like v2025.01..v2025.04"
            )
        require("git")
        old, new = (_one(repository, name) for name in names.groups())
        base = _git(repository, "merge-base", old.commit.name, new.commit.name).strip()
        if base != old.commit.name:
            raise CaseError(
                f"{names[1]} is not an ancestor of {names[2]}",
                next_step=f"give the range {base[:12]}..{names[2]}, from where they part"
                if base
                else "give two revisions of one history",
            )
        if base == new.commit.name:
            raise CaseError(f"{span} is empty", next_step="give the older revision first")
        listed = _git(
            *(repository, "log", "--topo-order", "--reverse", f"--format={_FORMAT}"),
            *(f"{old.commit.name}..{new.commit.name}", "--"),
        )
        return cls(repository, old, tuple(map(_revision, listed.split("\n")[:-1])))

    def __getitem__(self, name: str) -> Revision:
        return next(one for one in (self.old, *self.revisions) if one.commit.name == name)


def _one(repository: Path, name: str) -> Revision:
    line = _git(repository, "log", "-1", f"--format={_FORMAT}", f"{name}^{{commit}}", "--")
    return _revision(line.rstrip("\n"))


def _revision(line: str) -> Revision:
    name, parents, author, date, subject = (shown(word) for word in line.split("\0"))
    return Revision(Commit(name, tuple(parents.split())), author, date, subject)


def _git(repository: Path, *words: str) -> str:
    environment = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8", "GIT_DIR": None}
    argv = ["git", "-C", str(repository), "-c", "log.showSignature=false", *words]
    finished = run(argv, env=environment, timeout=300, check=False)
    if finished.returncode and finished.stderr:
        said = finished.stderr.decode(errors="replace").strip().splitlines()[0]
        raise CaseError(
            f"git says of {repository}: {shown(said)}",
            next_step="give the folder of a git repository of U-Boot and two of its revisions",
        )
    return finished.text
