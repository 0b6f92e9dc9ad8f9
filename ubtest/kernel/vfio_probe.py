"""Builds the VFIO probe of images/vfio, once for each state of its sources and its compiler."""

from collections.abc import Callable
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.firmware.folder import content_key, locked, whole
from ubtest.project import Project, cache
from ubtest.run import run

COMPILER = "aarch64-linux-gnu-gcc"
# Static: it runs on any arm64 Linux, also in an initramfs without a C library
FLAGS = ("-static", "-Os", "-Wall", "-Wextra", "-Werror", "-s", "-Wl,--build-id=none")
NAME = "vfio-probe"


def vfio_probe(
    project: Project | None = None, on_wait: Callable[[str], None] = lambda _: None
) -> Path:
    """The program for arm64 Linux; built when it is not there yet.

    :param on_wait: told when another process builds it at the moment.
    :raises CaseError: the project has no sources of the probe.
    :raises HostError: the compiler is missing or fails.
    """
    folder = (project or Project.find()).root / "images" / "vfio"
    sources = _sources(folder)
    target = cache() / "vfio-probe" / _key(sources)
    if not target.is_dir():
        with locked("vfio-probe", "builds the VFIO probe", on_wait):
            if not target.is_dir():
                with whole(target) as draft:
                    names = [name for name in sources if name.endswith(".c")]
                    run([COMPILER, *FLAGS, "-o", draft / NAME, *names], cwd=folder)
    return target / NAME


def in_python(project: Project | None = None) -> bytes:
    """The same program for the python3 of a target of another processor.

    :raises CaseError: the project has no sources of the probe.
    """
    path = (project or Project.find()).root / "images" / "vfio" / "vfio_probe.py"
    return _read(path)


def _sources(folder: Path) -> dict[str, bytes]:
    found = {path.name: _read(path) for path in sorted(folder.glob("*.[ch]"))}
    if not found:
        raise CaseError(
            f"no sources of the VFIO probe in {folder}",
            next_step="copy the folder images/vfio from ubtest's checkout into the project",
        )
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaseError(f"cannot read {path}: {error.strerror}") from error


def _key(sources: dict[str, bytes]) -> str:
    """Over everything that decides what comes out."""
    parts = [run([COMPILER, "--version"]).stdout, repr(FLAGS).encode()]
    parts += [part for name, content in sources.items() for part in (name.encode(), content)]
    return content_key(parts)
