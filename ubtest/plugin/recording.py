"""What is kept of a run: one folder a test, with console, QEMU command line and artefacts."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from ubtest.errors import HostError, writing


class Results:
    """The folder of one test.

    :param record: puts a name and a value into the JUnit file.
    """

    def __init__(self, folder: Path, record: pytest.Function) -> None:
        self.folder = folder
        self._item = record

    def keep(self, name: str, content: bytes | str) -> Path:
        """Keep an artefact, and its path and hash in the JUnit file."""
        data = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.note(name, f"{path} sha256={sha256(data).hexdigest()}")
        return path

    def note(self, name: str, value: str) -> None:
        """Keep a fact in the JUnit file."""
        self._item.user_properties.append((name, value))


def run_folder(root: Path, board: str) -> Path:
    """A new folder for this run, `root/latest` pointing at it.

    :raises HostError: it cannot be made.
    """
    started = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        for number in count(1):
            folder = root / (f"{started}-{board}" + (f"-{number}" if number > 1 else ""))
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:
                continue  # another run started in the same second
        _point_latest(root / "latest", folder)
    except OSError as error:
        raise HostError(
            f"cannot write results below {root}: {error}", next_step="name another --results folder"
        ) from error
    return folder


def test_folder(run: Path, item: pytest.Item) -> Path:
    """The folder of one test below the run's, named after it."""
    name = f"{item.path.stem}.{item.nodeid.partition('::')[2]}"
    return run / re.sub(r"[^\w.,=+-]+", "_", name).strip("_")[:150]


def _point_latest(link: Path, folder: Path) -> None:
    """Replace the link in one step: two runs may do so at once."""
    fresh = folder / ".latest"
    fresh.symlink_to(folder.name)
    fresh.replace(link)
