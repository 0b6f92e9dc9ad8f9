"""A user's own kernel: where its parts are, and whether they belong together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.firmware.config import Kconfig
from ubtest.formats import linux_image
from ubtest.formats.record import FormatError

# In a folder: what Debian, `make dir-pkg` and a build tree call it, the surest first
IMAGES = ("Image", "arch/arm64/boot/Image", "boot/Image", "boot/vmlinuz-*", "vmlinuz*")
MODULES = ("lib/modules", "usr/lib/modules")
CONFIGS = ("config-{release}", "config", ".config", "boot/config-{release}")
DTBS = ("dtbs", "boot/dtbs/{release}", "usr/lib/linux-image-{release}", "arch/arm64/boot/dts")
BUSYBOX = ("busybox", "bin/busybox", "usr/bin/busybox")


@dataclass(frozen=True)
class OwnKernel:
    """Its parts, where the user has them.

    :param modules: lib/modules/RELEASE; None for a kernel without loadable modules.
    :param busybox: a static one for arm64, where the user brings it.
    """

    image: Path
    release: str
    config: Kconfig
    modules: Path | None
    dtbs: Path | None
    busybox: Path | None


def own(path: Path) -> OwnKernel:
    """The kernel that a path stands for: an Image, or a folder with one in it.

    :raises CaseError: no Image, one that UEFI on arm64 cannot start, no modules or those of
        another kernel, or no `.config`.
    """
    image = _image(path)
    content = _read(image)
    try:
        linux_image.check(content)
    except FormatError as error:
        raise CaseError(
            f"{image} {error}", next_step="give the uncompressed Image of an arm64 kernel"
        ) from error
    release = linux_image.release(content)
    if release is None:
        raise CaseError(f"{image} does not say which Linux it is", next_step="build it again")
    places = _around(path, image)
    config = _config(content, places, release, image)
    return OwnKernel(
        image,
        release,
        config,
        _modules(places, release, config, image),
        _first(places, DTBS, release),
        _first(places, BUSYBOX, release),
    )


def _image(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise CaseError(
            f"no kernel {str(path)!r}",
            next_step="ask for debian:6.1, debian:6.12, or a path to an Image or a folder with one",
        )
    for pattern in IMAGES:
        found = sorted(each for each in path.glob(pattern) if each.is_file())
        if len(found) > 1:
            names = ", ".join(str(each.relative_to(path)) for each in found)
            raise CaseError(f"{path} holds several kernels: {names}", next_step="give one of them")
        if found:
            return found[0]
    raise CaseError(
        f"no Image in {path}: looked for {', '.join(IMAGES)}",
        next_step="give a kernel's build tree, an unpacked package, or the Image itself",
    )


def _around(path: Path, image: Path) -> list[Path]:
    """The folders that may hold the rest, the nearest first."""
    if path.is_dir():
        return [path, image.parent]
    # PATH/boot/vmlinuz is two steps below lib, TREE/arch/arm64/boot/Image four
    return [*image.resolve().parents][:4]


def _config(image: bytes, places: list[Path], release: str, path: Path) -> Kconfig:
    found = _first(places, CONFIGS, release, kind=Path.is_file)
    text = found.read_text() if found else linux_image.config(image)
    if text is None:
        raise CaseError(
            f"{path} has no .config beside it, so nobody knows what it can do",
            next_step=f"copy the .config of its build to {path.parent / '.config'}",
        )
    return Kconfig.parse(text, str(found or path))


def _modules(places: list[Path], release: str, config: Kconfig, image: Path) -> Path | None:
    trees = [place / name for place in places for name in MODULES if (place / name).is_dir()]
    for tree in trees:
        if (tree / release).is_dir():
            return tree / release
    if not config.enabled("MODULES"):
        return None
    others = sorted(each.name for tree in trees for each in tree.iterdir())
    raise CaseError(
        f"no modules of Linux {release} for {image}"
        + (f", only of {', '.join(others)}" if others else ""),
        next_step=f"make modules_install INSTALL_MOD_PATH={places[0]}, with the same kernel tree",
    )


def _first(
    places: Iterable[Path],
    names: Iterable[str],
    release: str,
    kind: Callable[[Path], bool] = Path.exists,
) -> Path | None:
    names = [name.format(release=release) for name in names]
    return next((p / name for p in places for name in names if kind(p / name)), None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaseError(f"cannot read {path}: {error.strerror}") from error
