"""A FAT file system inside an image, built and read through mtools."""

import contextlib
import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ubtest.errors import CaseError, HostError, UbtestError
from ubtest.run import Finished, run

ROOT = PurePosixPath()
SECTOR = 512
MiB = 1 << 20
EPOCH = 946_684_800  # 2000-01-01: the same time in every directory entry of every image
ENVIRONMENT = {
    "MTOOLSRC": "/dev/null",
    "MTOOLS_SKIP_CHECK": "1",
    "SOURCE_DATE_EPOCH": str(EPOCH),
    "TZ": "UTC",  # FAT keeps local time
    "LC_ALL": "C",
}
NOT_ON_FAT = re.compile(r'[^ -~]|["*/:<>?\\|[\]~]|[. ]$|^-?$')


@dataclass(frozen=True)
class FatVolume:
    """A FAT file system at an offset of an image.

    :param offset: bytes from the start of the image.
    """

    image: Path
    offset: int = 0

    def format(self, sectors: int, *, label: str, serial: int) -> None:
        """Make an empty file system; FAT12 or FAT16, as mtools picks by the size.

        :param sectors: of 512 bytes; the image has to be that long already.
        :param label: at most 11 characters.
        :param serial: 32 bits, shown as the volume's serial number.
        :raises HostError: no space left on the host, or mtools is missing.
        """
        geometry = ["-T", str(sectors), "-h", "64", "-s", "32", "-H", str(self.offset // SECTOR)]
        self._run("mformat", *geometry, "-N", f"{serial:08x}", "-v", label, "::")

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files into an empty file system, with the folders that they need.

        :param files: path below the root -> content, `EFI/BOOT/BOOTAA64.EFI`.
        :raises CaseError: a name that FAT cannot hold, two names that are one on FAT, or more
            content than fits.
        :raises HostError: no space left on the host, or mtools is missing.
        """
        contents = {fat_path(name): content for name, content in files.items()}
        tree = _tree(contents)
        # mcopy -s takes a folder's files in the order of the host's readdir, and the images of
        # two machines would differ. So it gets whole only what has no order: single chains.
        forks = sorted(
            {each for folder in tree if len(tree[folder]) > 1 for each in (folder, *folder.parents)}
            - {ROOT}
        )
        if forks:
            self._run("mmd", *map(_target, forks))
        where = _roomy(sum(map(len, contents.values())), self.image.parent)
        with TemporaryDirectory(dir=where, prefix=".ubtest-") as staging:
            for path, content in contents.items():
                Path(staging, path).parent.mkdir(parents=True, exist_ok=True)
                Path(staging, path).write_bytes(content)
            for folder in (ROOT, *forks):
                sources = [
                    str(Path(staging, each)) for each in sorted(tree[folder].difference(forks))
                ]
                if sources:
                    self._run("mcopy", "-s", "-Q", *sources, _target(folder))

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None when there is no such file; case does not matter.

        :raises HostError: no FAT file system, or it cannot be read.
        """
        # Asked first, because mtools reads a folder as all of its files, one after the other.
        wanted = str(fat_path(name)).lower()
        for listed in self.listing():
            if listed.lower() == wanted:
                return self._run("mtype", f"::/{listed}").stdout
        return None

    def listing(self) -> list[str]:
        """The paths of all files, sorted; folders are left out.

        :raises HostError: no FAT file system, or it cannot be read.
        """
        finished = self._run("mdir", "-/", "-b", "-a", "::", check=False)
        if finished.returncode and b'File "::" not found' in finished.stderr:
            return []  # how mdir says that the root is empty
        if finished.returncode:
            raise self._failed("mdir", finished)
        lines = finished.text.splitlines()
        return sorted(line.removeprefix("::/") for line in lines if line and line[-1] != "/")

    def _run(self, program: str, *arguments: str, check: bool = True) -> Finished:
        argv = (program, "-i", f"{self.image}@@{self.offset}", *arguments)
        finished = run(argv, env=ENVIRONMENT, check=False)
        if check and finished.returncode:
            raise self._failed(program, finished)
        return finished

    def _failed(self, program: str, finished: Finished) -> UbtestError:
        said = finished.stderr.decode(errors="backslashreplace").strip()
        if "No space left on device" in said:
            return HostError(
                f"no space left in {self.image.parent}",
                next_step=f"free space in {self.image.parent}",
            )
        if "Disk full" in said:
            return CaseError(
                "the files do not fit into the FAT file system",
                next_step="ask for a larger disk, or give it less",
            )
        return HostError(f"{program} failed on {self.image}: {said}")


def fat_path(name: str) -> PurePosixPath:
    """A path below the root, written with / and in printable ASCII.

    Other letters depend on the code page of whoever reads them, and mtools takes [ for
    a pattern and - for standard input, and keeps no long name for what has a ~ like a short one.

    :raises CaseError: a component that FAT or mtools does not take.
    """
    for component in name.split("/"):
        if NOT_ON_FAT.search(component) or len(component) > 255:
            raise CaseError(
                f"{name!r} is not a path on FAT: {component!r} is not a name in printable ASCII "
                r'without any of "*:<>?\|[]~, a final dot or a final space'
            )
    return PurePosixPath(name)


def _tree(files: Collection[PurePosixPath]) -> dict[PurePosixPath, set[PurePosixPath]]:
    """What is in each folder, the root included.

    :raises CaseError: two paths that are one, since FAT does not tell case apart.
    """
    tree: dict[PurePosixPath, set[PurePosixPath]] = {ROOT: set()}
    spelled: dict[str, PurePosixPath] = {}
    for file in files:
        for path in (file, *file.parents[:-1]):
            tree.setdefault(path.parent, set()).add(path)
            twin = spelled.setdefault(str(path).lower(), path)
            if twin != path:
                raise CaseError(f"'{twin}' and '{path}' are one name on FAT")
    for path in tree.keys() & set(files):
        raise CaseError(f"'{path}' is a file and a folder")
    return tree


def _roomy(size: int, otherwise: Path) -> Path:
    """Where to stage so many bytes: in memory if there is plenty, since removing a folder from a
    disk was seen to take 2 ms, as long as copying the files."""
    memory = Path("/dev/shm")
    with contextlib.suppress(OSError):
        if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * size + MiB:
            return memory
    return otherwise


def _target(path: PurePosixPath) -> str:
    return "::/" if path == ROOT else f"::/{path}"
