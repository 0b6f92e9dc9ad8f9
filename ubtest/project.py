"""Where things are: the checkout with its declarations, and the cache outside of it."""

import os
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError


@dataclass(frozen=True)
class Project:
    """A folder that holds `boards/` and `keys/keyring.yaml`: our checkout, or a user's own."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """The project around a file or folder, else around the current folder.

        :raises CaseError: no folder upwards holds `keys/keyring.yaml`.
        """
        starts = [path.resolve() for path in (start, Path.cwd()) if path is not None]
        for folder in (folder for path in starts for folder in (path, *path.parents)):
            if (folder / "keys" / "keyring.yaml").is_file():
                return cls(folder)
        raise CaseError(
            f"no ubtest project at or above {starts[0]}",
            next_step="run this inside a folder that holds boards/ and keys/keyring.yaml",
        )

    @property
    def boards(self) -> Path:
        return self.root / "boards"

    @property
    def keys(self) -> Path:
        return self.root / "keys"


def cache() -> Path:
    """The folder for everything that can be made again: sources, builds, bundles.

    `$UBTEST_CACHE`, else `$XDG_CACHE_HOME/ubtest`, else `~/.cache/ubtest`.
    """
    if own := os.environ.get("UBTEST_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ubtest"
