"""A git repository of U-Boot whose culprits are known, made of the cached Debian source."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Always the same names: what was built of a commit is found in the cache
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "A U Thor"),
        ("EMAIL", "author@example.com"),
        ("DATE", "2025-02-03T04:05:06+0000"),
    )
}
VERSION, STORAGE = "cmd/version.c", "common/usb_storage.c"


@dataclass(frozen=True)
class Change:
    """One commit: a file as Debian's, edited.

    :param edit: regular expression that matches once, replacement; None is Debian's file.
    """

    subject: str
    file: str
    edit: tuple[str, str] | None


def harmless(number: int) -> Change:
    return Change(f"version: say nothing new, {number}", VERSION, (r"\Z", f"/* {number} */\n"))


BROKEN = (r"\Z", "#error planted\n")
# The second of two sticks does not probe
ONE_STICK = (
    r"(?<=\tint ret;\n\n)(?=\tusb_disable_asynch\(1\); /\* asynch transfer not allowed \*/\n"
    r"\tret = usb_stor_probe_device\(udev\);)",
    "\tstatic int planted;\n\n\tif (planted++)\n\t\treturn -ENODEV;\n\n",
)
CHANGES = (
    harmless(1),
    Change("version: does not build", VERSION, BROKEN),
    harmless(2),
    Change("usb: one stick is enough", STORAGE, ONE_STICK),
    harmless(3),
    Change("version: does not build again", VERSION, BROKEN),
    Change("usb: two sticks again", STORAGE, None),
    harmless(4),
)


class PlantedHistory:
    """The repository.

    :param repository: made here, or found as an earlier run made it.
    :param tree: Debian's source, which is read only.
    :param older: that of an older release.
    :ivar commits: `tree` and the changes on top of it.
    :ivar releases: `older`, a harmless change, `tree`, another one.
    """

    def __init__(self, repository: Path, tree: Path, older: Path) -> None:
        self.repository, self._tree = repository, tree
        if not (repository / "HEAD").exists():
            repository.mkdir(parents=True, exist_ok=True)
            self._git("init", "--bare", "--quiet")
        self.releases = self._line(older, "the older release", harmless(1))
        self.releases += self._line(tree, "the newer release", harmless(2), on=self.releases[-1:])
        self.commits = self._line(tree, "U-Boot as Debian has it", *CHANGES)
        for name, line in (("releases", self.releases), ("planted", self.commits)):
            self._git("update-ref", f"refs/heads/{name}", line[-1])

    def _line(
        self, tree: Path, subject: str, *changes: Change, on: Sequence[str] = ()
    ) -> list[str]:
        """A tree, and changes on top of it."""
        self._tree = tree
        self._git(f"--work-tree={tree}", "add", "--all", "--force")
        commits = [self._commit(subject, *on)]
        for change in changes:
            self._change(change)
            commits.append(self._commit(change.subject, commits[-1]))
        return commits

    def _change(self, change: Change) -> None:
        text = (self._tree / change.file).read_text()
        if change.edit:
            pattern, replacement = change.edit
            text, count = re.subn(pattern, lambda match: replacement, text)
            assert count == 1, f"{pattern!r} matches {count} times in {change.file}"
        blob = self._git("hash-object", "-w", "--stdin", stdin=text)
        self._git("update-index", "--cacheinfo", f"100644,{blob},{change.file}")

    def _commit(self, subject: str, *parents: str) -> str:
        above = [word for parent in parents for word in ("-p", parent)]
        return self._git("commit-tree", self._git("write-tree"), *above, "-m", subject)

    def _git(self, *words: str, stdin: str = "") -> str:
        # An index a tree: git looks at what changed since the last time, and not at all of it
        index = self.repository / f"index-{self._tree.parent.name}"
        places = {"GIT_DIR": str(self.repository), "GIT_INDEX_FILE": str(index)}
        environment = {**os.environ, **_AUTHOR, **places}
        finished = subprocess.run(
            ["git", *words],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return finished.stdout.strip()
