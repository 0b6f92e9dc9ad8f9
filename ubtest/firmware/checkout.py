"""One tree in the cache that goes from commit to commit, so that a build compiles what differs."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ubtest.firmware.folder import locked, writing
from ubtest.firmware.source import Say, Source, version_of
from ubtest.project import cache
from ubtest.run import run

# Whatever the user's configuration says, nothing is written beside his index, no hook or monitor of
# his runs, and all of a commit is there
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.sparseCheckout=false",
    "submodule.recurse=false",
)


@dataclass(frozen=True)
class Checkout:
    """A tree of our own that shows one commit of a user's repository at a time.

    It has an index of its own; the repository gives objects only. What it shows has the identity of
    `PATH@COMMIT`, so both find the same bundles.

    :param home: the cache's folder for this repository.
    """

    repository: Path
    home: Path

    @classmethod
    @contextmanager
    def open(cls, repository: Path, say: Say) -> Iterator["Checkout"]:
        """The repository's tree in the cache, which is ours until the end of the block.

        :raises HostError: the cache cannot be written.
        """
        repository = repository.resolve()
        place = hashlib.sha256(os.fsencode(repository)).hexdigest()[:12]
        # Beside the exported revisions, under the name of a lock of theirs: pruned as they are
        home = cache() / "sources" / "git" / f"walk-{place}"
        with locked(f"git-{home.name}", f"building commits of {repository}", say):
            yield cls(repository, home)

    def at(self, commit: str) -> Source:
        """The tree as the commit has it; only files that differ are written.

        :param commit: 40 hex digits.
        :raises CaseError: it is not U-Boot.
        :raises HostError: git failed.
        """
        tree = self.home / "tree"
        with writing():
            if (self.home / "index.lock").exists():
                # Its git was killed: what it had written meanwhile, no index knows
                shutil.rmtree(self.home)
            tree.mkdir(parents=True, exist_ok=True)
            self._git("read-tree", "--reset", "-u", commit)
        epoch = int(self._git("log", "-1", "--format=%ct", commit).strip())
        version = version_of(tree, f"{self.repository}@{commit[:12]}")
        return Source(tree, version, commit, f"git:{commit}", epoch)

    def _git(self, *words: str) -> str:
        environment = {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_INDEX_FILE": str(self.home / "index"),
            "GIT_DIR": None,
        }
        settings = [word for each in _SETTINGS for word in ("-c", each)]
        where = ["git", "-C", str(self.repository), *settings, f"--work-tree={self.home / 'tree'}"]
        return run([*where, *words], env=environment, timeout=300).text
