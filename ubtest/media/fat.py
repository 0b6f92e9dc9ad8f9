"""A FAT file system inside an image, built and read through mtools."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ubtest.errors import CaseError, HostError, UbtestError
from ubtest.run import Finished, run

SECTOR = 512
EPOCH = 946_684_800  # 2000-01-01: the same time in every directory entry of every image
ENVIRONMENT = {
    "MTOOLSRC": "/dev/null",
    "MTOOLS_SKIP_CHECK": "1",
    "SOURCE_DATE_EPOCH": str(EPOCH),
    "TZ": "UTC",  # FAT keeps local time
    "LC_ALL": "C",
}
NOT_ON_FAT = re.compile(r'[^ -~]|["*/:<>?\\|[\]~]|[. ]$|^$')


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
        paths = sorted(contents, key=lambda path: (path.parent, path.name))
        folders = _folders(paths)
        if folders:
            self._run("mmd", *map(_target, folders))
        # One mcopy per folder and names in order: mcopy -s would take the order of the host's
        # readdir, and the images of two machines would differ.
        for folder, members in groupby(paths, lambda path: path.parent):
            with TemporaryDirectory(dir=self.image.parent, prefix=".staging-") as staging:
                sources = [Path(staging, path.name) for path in members]
                for source in sources:
                    source.write_bytes(contents[folder / source.name])
                self._run("mcopy", "-Q", *map(str, sources), _target(folder))

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
                f"no space left in {self.image.parent} while writing {self.image.name}",
                next_step=f"free space in {self.image.parent}",
            )
        if "Disk full" in said:
            return CaseError(
                f"the files do not fit into the file system in {self.image.name}",
                next_step="ask for a larger disk, or give it less",
            )
        return HostError(f"{program} failed on {self.image}: {said}")


def fat_path(name: str) -> PurePosixPath:
    """A path below the root, written with / and in printable ASCII.

    Other letters depend on the code page of whoever reads them, and mtools takes [ for
    a pattern and keeps no long name for what has a ~ like a short one.

    :raises CaseError: a component that FAT or mtools does not take.
    """
    for component in name.split("/"):
        if NOT_ON_FAT.search(component) or len(component) > 255:
            raise CaseError(
                f"{name!r} is not a path on FAT: {component!r} is not a name in printable ASCII "
                r'without any of "*:<>?\|[]~, a final dot or a final space'
            )
    return PurePosixPath(name)


def _folders(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """All folders above some files, outer ones first.

    :raises CaseError: two paths that are one, since FAT does not tell case apart.
    """
    folders = {folder for path in paths for folder in path.parents if folder.name}
    seen: dict[str, PurePosixPath] = {}
    for path in (*folders, *paths):
        twin = seen.setdefault(str(path).lower(), path)
        if twin is not path:
            raise CaseError(f"'{twin}' and '{path}' are one name on FAT")
    return sorted(folders)


def _target(path: PurePosixPath) -> str:
    return "::/" if path == PurePosixPath() else f"::/{path}"
