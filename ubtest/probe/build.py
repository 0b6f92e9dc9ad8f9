"""Builds the probe, once for each state of its sources and its compiler."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.firmware.folder import content_key, locked, whole
from ubtest.formats.pe import AA64, ARM, X64, Machine
from ubtest.probe.orders import Orders, told
from ubtest.project import Project, cache
from ubtest.run import run

COMPILER, LINKER = "clang-14", "lld-link-14"
SOURCES = ("line.c", "orders.c", "probe.c")
COMPILE = ("-ffreestanding", "-fshort-wchar", "-Os", "-Wall", "-Wextra", "-Werror")
LINK = (
    "/nologo",
    "/subsystem:efi_application",
    "/entry:efi_main",
    "/nodefaultlib",
    "/timestamp:0",  # the same bytes every time
)


@dataclass(frozen=True)
class Target:
    """A processor that the probe is built for.

    :param triple: as clang names it; Windows has UEFI's calling convention and file format.
    """

    machine: Machine
    triple: str
    flags: tuple[str, ...] = ()


TARGETS = {
    each.machine.name: each
    for each in (
        Target(AA64, "aarch64-unknown-windows", ("-mgeneral-regs-only",)),
        Target(ARM, "armv7-unknown-windows", ("-mno-movt",)),  # a relocation that U-Boot lacks
        Target(X64, "x86_64-unknown-windows", ("-mno-sse", "-mno-red-zone")),
    )
}


def probe(
    arch: str = "aa64", orders: Orders | None = None, *, project: Project | None = None
) -> bytes:
    """The probe's image, with orders in it.

    :param arch: a name of :data:`TARGETS`.
    :param orders: none for a probe that gets them through load options only.
    :raises CaseError: no such architecture, or a project without the sources.
    :raises HostError: the compiler is missing or fails.
    """
    image = (build(project or Project.find()) / f"{_target(arch).machine.name}.efi").read_bytes()
    return told(image, orders) if orders else image


def build(project: Project, on_wait: Callable[[str], None] = lambda _: None) -> Path:
    """The folder with `ARCH.efi` of every architecture; built when it is not there yet.

    :param on_wait: told when another process builds it at the moment.
    :raises CaseError: the project has no sources of the probe.
    :raises HostError: the compiler is missing or fails.
    """
    folder = project.root / "images" / "probe"
    target = cache() / "probe" / _key(folder)
    if target.is_dir():
        return target
    with locked("probe", "builds the boot probe", on_wait):
        if not target.is_dir():
            with whole(target) as draft:
                for each in TARGETS.values():
                    compile_probe(folder, each, draft)
    return target


def compile_probe(sources: Path, target: Target, draft: Path) -> Path:
    """Make `ARCH.efi` in a folder.

    :raises HostError: the compiler is missing or fails.
    """
    objects = []
    image = draft / f"{target.machine.name}.efi"
    for name in SOURCES:
        made = draft / f"{target.machine.name}-{Path(name).stem}.o"
        argv = (COMPILER, f"--target={target.triple}", *COMPILE, *target.flags)
        run([*argv, "-c", name, "-o", made], cwd=sources)
        objects.append(made)
    run([LINKER, *LINK, f"/out:{image}", *objects])
    for each in objects:
        each.unlink()
    return image


def _key(folder: Path) -> str:
    """Over everything that decides what comes out."""
    parts = [run([COMPILER, "--version"]).stdout, run([LINKER, "--version"]).stdout]
    parts += [repr((SOURCES, COMPILE, LINK, TARGETS)).encode()]
    try:
        files = sorted(folder.glob("*.[ch]"))
        parts += [part for path in files for part in (path.name.encode(), path.read_bytes())]
    except OSError as error:
        raise CaseError(f"cannot read {error.filename}: {error.strerror}") from error
    if not files:
        raise CaseError(
            f"no sources of the boot probe in {folder}",
            next_step="copy the folder images/probe from ubtest's checkout into the project",
        )
    return content_key(parts)


def _target(arch: str) -> Target:
    if arch not in TARGETS:
        raise CaseError(
            f"no probe for {arch!r}", next_step=f"the architectures are: {', '.join(TARGETS)}"
        )
    return TARGETS[arch]
