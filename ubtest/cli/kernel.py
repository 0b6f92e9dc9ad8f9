"""`ubtest kernel`"""

import argparse
import sys
from typing import TYPE_CHECKING

from ubtest.cli import kernel_extra
from ubtest.cli.command import Commands, add, group
from ubtest.cli.pruning import add_prune

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ubtest.firmware.prune import Unwanted
    from ubtest.kernel.bundle import KernelBundle

_DEFAULT = "debian:6.1"
_OF_PACKAGES = ("package", "busybox")
_ORIGIN = (
    "debian:6.1, debian:6.12, an arm64 Image, or a folder with one: a build tree after "
    "`make modules_install INSTALL_MOD_PATH=.`, or an unpacked package (default: %(default)s)"
)


def register(commands: Commands) -> None:
    kernel = group(
        commands,
        "kernel",
        does="get a Linux that the firmware can hand over to",
        example="ubtest kernel get debian:6.12",
    )
    get = add(
        kernel,
        "get",
        _get,
        does="fetch a kernel into the cache, pack its initramfs, print where it is",
        example="ubtest kernel get ~/linux",
    )
    _origin(get)
    get.add_argument(
        "--refresh",
        action="store_true",
        help="ask Debian's mirror whether there is a newer revision",
    )
    show = add(
        kernel,
        "show",
        _show,
        does="show a kernel: origin, sizes, what its initramfs holds, the settings that matter",
        example="ubtest kernel show debian:6.1",
    )
    _origin(show)
    add(
        kernel,
        "list",
        _list,
        does="list the kernels in the cache, what came last first",
        example="ubtest kernel list",
    )
    add_prune(
        kernel,
        _unwanted,
        does="remove kernels from the cache that a newer one replaced, or nobody used for long",
        example="ubtest kernel prune --dry-run",
    )
    kernel_extra.register(kernel)


def _get(options: argparse.Namespace) -> int:
    from ubtest.cli.progress import progress
    from ubtest.firmware.progress import Progress
    from ubtest.kernel.bundle import get

    with progress() as show:
        kernel = get(options.origin, lambda text: show(Progress(text)), refresh=options.refresh)
    came = kernel.manifest.get("package", kernel.origin)
    print(
        f"Linux {kernel.release} ({came}), initramfs {_megabytes(kernel.initrd.stat().st_size)}",
        file=sys.stderr,
    )
    print(kernel.path)
    return 0


def _list(options: argparse.Namespace) -> int:
    from ubtest.kernel.bundle import folders, manifest

    for folder in folders("*"):
        facts = manifest(folder)
        print(
            f"{facts['origin']:16} {facts['release']:28} {facts.get('package', '')}\n    {folder}"
        )
    return 0


def _show(options: argparse.Namespace) -> int:
    from ubtest.cli.output import say
    from ubtest.kernel.bundle import find

    say(_lines(find(options.origin)))
    return 0


def _lines(kernel: "KernelBundle") -> "Iterator[str]":
    from ubtest.kernel.module_table import WANTED
    from ubtest.kernel.modules import ModuleTree

    for name, value in (
        ("origin", kernel.origin),
        ("release", kernel.release),
        *((name, value) for name, value in kernel.manifest.items() if name in _OF_PACKAGES),
        ("Image", f"{kernel.image} ({_megabytes(kernel.image.stat().st_size)})"),
        ("initramfs", f"{kernel.initrd} ({_megabytes(kernel.initrd.stat().st_size)})"),
        ("modules", f"{kernel.modules} ({_count_of(kernel.modules, '*.ko*')})"),
        ("device trees", f"{kernel.dtbs} ({_count_of(kernel.dtbs, '*.dtb')})"),
    ):
        yield f"{name:16} {value}"
    yield from _contents(kernel)
    tree = ModuleTree(kernel.modules)
    for each in WANTED:
        if each.name in tree.absent([each.name]):
            yield f"{'not in it':16} {each.name}: this kernel has none ({each.why})"
    yield from _settings(kernel)


def _contents(kernel: "KernelBundle") -> "Iterator[str]":
    """What the initramfs really holds."""
    import gzip

    from ubtest.formats.cpio import parse

    links = []
    yield ""
    for entry in parse(gzip.decompress(kernel.initrd.read_bytes())):
        if entry.is_link and entry.content == b"busybox":
            links.append(entry.path.rpartition("/")[2])
        elif not entry.is_folder and not entry.is_link:
            yield f"{len(entry.content):>9} {entry.path}"
    yield f"busybox is also: {' '.join(links)}"


def _settings(kernel: "KernelBundle") -> "Iterator[str]":
    from ubtest.kernel.config_table import SYMBOLS

    yield ""
    for symbol in SYMBOLS:
        value = kernel.config.get(symbol.name) or "is not set"
        yield f"CONFIG_{symbol.name + ' ' + value:46} {symbol.why}"


def _unwanted(days: int) -> "Iterator[Unwanted]":
    from ubtest.kernel.prune import unwanted

    return unwanted(days)


def _origin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("origin", nargs="?", default=_DEFAULT, metavar="ORIGIN", help=_ORIGIN)


def _count_of(folder: "Path", pattern: str) -> str:
    found = [path.lstat().st_size for path in folder.rglob(pattern)]
    return f"{len(found)} files, {_megabytes(sum(found))}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
