"""A FAT file system inside an image: written by ourselves, read through mtools.

Reading is left to another program on purpose: what U-Boot wrote is judged by someone else's eyes.
They see `__` for a letter outside of the basic plane, which mtools 4.0 does not know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.formats.fat import Content, fat_volume
from ubtest.formats.fat_layout import SECTOR
from ubtest.formats.record import FormatError
from ubtest.run import Finished, run

ENVIRONMENT = {"MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
OUTSIDE = re.compile(r"[\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class FatVolume:
    """A FAT file system at an offset of an image.

    :param offset: bytes from the start of the image.
    """

    image: Path
    offset: int = 0

    def build(self, files: Mapping[str, Content], sectors: int, *, label: str, serial: int) -> None:
        """Make the file system, FAT16, with files and the folders that they need.

        The image has to be long enough and zero there; it stays sparse.

        :param files: path below the root -> content, `EFI/BOOT/BOOTAA64.EFI`.
        :param sectors: of 512 bytes.
        :param label: at most 11 characters.
        :param serial: 32 bits, shown as the volume's serial number.
        :raises CaseError: a name that FAT cannot hold, two names that are one on FAT, or more
            content than fits.
        :raises OSError: the image cannot be written.
        """
        try:
            pieces = fat_volume(
                files, sectors, label=label, serial=serial, hidden_sectors=self.offset // SECTOR
            )
        except FormatError as error:
            raise CaseError(str(error)) from error
        with self.image.open("r+b") as image:
            for at, piece in pieces:
                image.seek(self.offset + at)
                image.write(piece)

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None when there is no such file; case does not matter.

        :raises CaseError: a name that mtools cannot look for: it has a letter outside of the basic
            plane.
        :raises HostError: no FAT file system, or it cannot be read.
        """
        if OUTSIDE.search(name):
            raise CaseError(f"{name!r} cannot be read from FAT: mtools does not know its letters")
        # Asked first, because mtools reads a folder as all of its files, one after the other.
        for listed in self.listing():
            if listed.lower() == name.lower():
                finished = self._run("mtype", _literal(f"::/{listed}"))
                if finished.returncode:
                    raise self._failed(finished)
                return finished.stdout
        return None

    def listing(self) -> list[str]:
        """The paths of all files, sorted; folders are left out.

        :raises HostError: no FAT file system, or it cannot be read.
        """
        finished = self._run("mdir", "-/", "-b", "-a", "::")
        if finished.returncode and b'File "::" not found' in finished.stderr:
            return []  # how mdir says that the root is empty
        if finished.returncode:
            raise self._failed(finished)
        lines = finished.text.split("\n")  # names may hold what else ends a line to Python
        return sorted(line.removeprefix("::/") for line in lines if line and line[-1] != "/")

    def _run(self, program: str, *arguments: str) -> Finished:
        argv = (program, "-i", f"{self.image}@@{self.offset}", *arguments)
        return run(argv, env=ENVIRONMENT, check=False)

    def _failed(self, finished: Finished) -> HostError:
        said = finished.stderr.decode(errors="backslashreplace").strip()
        return HostError(f"cannot read the FAT file system in {self.image}: {said}")


def _literal(path: str) -> str:
    """A path that mtools does not take for a pattern."""
    return re.sub(r"([\[\]])", r"\\\1", path)
