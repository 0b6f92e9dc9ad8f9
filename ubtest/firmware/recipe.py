"""Everything that decides what a build comes out as, and the key made of it."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle, bundles, full_name
from ubtest.firmware.config import Kconfig
from ubtest.firmware.source import Source
from ubtest.firmware.versions import traits
from ubtest.project import Project, cache
from ubtest.run import run

# Counted up when the steps of `build` change what comes out of the same input
_STEPS = 1
_HEADER = re.compile(r"# (\w+): (\S.*)")
_NATIVE = "native"  # in the place of a cross compiler's prefix


@dataclass(frozen=True)
class Recipe:
    """A board's firmware, as asked for.

    :param compiler: prefix of the cross compiler, such as ``aarch64-linux-gnu-``; empty for the
        host's own.
    :param compiler_version: the first line that it prints about itself.
    :param make: variables for make, such as ``NO_SDL=1``.
    :param keep: files of the build that the board needs besides the usual ones.
    :param fragment: the board's lines, then the variant's.
    :param certificate: signs the capsules that the firmware accepts (PEM).
    """

    board: str
    variant: str
    source: Source
    defconfig: str
    compiler: str
    compiler_version: str
    fragment: Kconfig
    certificate: Path
    fingerprint: str
    make: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        board: str,
        variant: str,
        source: Source,
        *,
        project: Project,
        certificate: Path,
        fingerprint: str,
    ) -> "Recipe":
        """Read `boards/BOARD.config` and `boards/BOARD+VARIANT.config`.

        The board's file starts with two comments that say how it is built::

            # defconfig: qemu_arm64_defconfig
            # compiler: aarch64-linux-gnu-

        ``native`` is the compiler of a board that runs on this machine. Two more may follow:
        ``# make: A=1 B=2``, and ``# keep: FILE FILE``.

        :raises CaseError: no such board, variant or defconfig, or a line is missing.
        :raises HostError: the compiler is missing.
        """
        path = _path(project, board)
        fragment = _fragment(project, board, variant)
        header = _header(path)
        if not (source.tree / "configs" / header["defconfig"]).is_file():
            raise CaseError(
                f"U-Boot {source.version} has no {header['defconfig']}",
                next_step=f"correct the first lines of {path}",
            )
        prefix = "" if header["compiler"] == _NATIVE else header["compiler"]
        compiled_by = run([f"{prefix}gcc", "--version"]).text
        return cls(
            board=board,
            variant=variant,
            source=source,
            defconfig=header["defconfig"],
            compiler=prefix,
            compiler_version=compiled_by.partition("\n")[0],
            fragment=fragment,
            certificate=certificate,
            fingerprint=fingerprint,
            make=tuple(header.get("make", "").split()),
            keep=tuple(header.get("keep", "").split()),
        )

    @property
    def name(self) -> str:
        return full_name(self.board, self.variant)

    @property
    def key(self) -> str:
        """Equal keys build equal firmware."""
        parts = (
            str(_STEPS),
            self.source.identity,
            self.defconfig,
            self.compiler_version,
            self.fragment.lines(),
            self.fingerprint,
            *self.make,
            *self.keep,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def bundle(self) -> Path:
        """Where the bundle is, or will be."""
        return bundles() / self.name / f"{self.source.version}-{self.key[:12]}"

    @property
    def output(self) -> Path:
        """Where it is compiled."""
        # By tree, not by content, so that the next change of a tree builds on what is there; and
        # by certificate: U-Boot links it into an object that it does not compile again
        place = hashlib.sha256(os.fsencode(self.source.tree) + self.fingerprint.encode())
        return cache() / "builds" / f"{self.name}-{self.source.version}-{place.hexdigest()[:12]}"

    def asked(self, certificate: Path) -> Kconfig:
        """The fragment as this version takes it, with the certificate where it wants one.

        :param certificate: the copy that the build reads.
        """
        here = traits(self.source.version)
        if here.certificate_option is None or not self.fragment.enabled("EFI_CAPSULE_AUTHENTICATE"):
            return self.fragment
        name = str(certificate.resolve())
        if here.certificate_below == "the source tree":
            name = os.path.relpath(name, self.source.tree.resolve())
        return self.fragment | Kconfig({here.certificate_option: f'"{name}"'})


def check_current(bundle: Bundle, project: Project) -> None:
    """Make sure that a bundle of ours was built from the board's fragment as it is now.

    :raises CaseError: the fragment changed since, so that a test would see the old firmware.
    """
    name = full_name(bundle.board, bundle.variant)
    now = _fragment(project, bundle.board, bundle.variant).lines().splitlines()
    if bundle.manifest.get("fragment") != now:
        raise CaseError(
            f"boards/{name}.config changed since the firmware {bundle.path} was built",
            next_step=f"ubtest firmware build {name}",
        )


def _fragment(project: Project, board: str, variant: str) -> Kconfig:
    """The board's lines, then the variant's."""
    fragment = Kconfig.read(_path(project, board))
    if variant:
        fragment |= Kconfig.read(_path(project, full_name(board, variant)))
    return fragment


def _path(project: Project, name: str) -> Path:
    path = project.boards / f"{name}.config"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in project.boards.glob("*.config"))) or "none"
        raise CaseError(
            f"no firmware fragment {path}", next_step=f"write it, or take one of these: {known}"
        )
    return path


def _header(path: Path) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if not (found := _HEADER.fullmatch(line)):
            break
        header[found[1]] = found[2]
    for name, example in (
        ("defconfig", "qemu_arm64_defconfig"),
        ("compiler", "aarch64-linux-gnu-"),
    ):
        if name not in header:
            raise CaseError(
                f"{path} does not say its {name}",
                next_step=f"start the file with a line like `# {name}: {example}`",
            )
    return header
