"""`ubtest kernel rootfs` and `ubtest kernel vfio-platform`: what only slow tests want."""

import argparse
import sys

from ubtest.cli.command import Commands, add


def register(kernel: Commands) -> None:
    rootfs = add(
        kernel,
        "rootfs",
        _rootfs,
        does="make a root file system of Debian's packages: QEMU for a guest in the target, or Xen",
        example="ubtest kernel rootfs qemu",
    )
    rootfs.add_argument("name", metavar="NAME", help="qemu or xen")
    modules = add(
        kernel,
        "vfio-platform",
        _modules,
        does="build vfio-platform for a kernel, since Debian's come without it",
        example="ubtest kernel vfio-platform debian:6.1",
    )
    modules.add_argument(
        "origin",
        nargs="?",
        default="debian:6.1",
        metavar="ORIGIN",
        help="a kernel of `ubtest kernel list` (default: %(default)s)",
    )


def _rootfs(options: argparse.Namespace) -> int:
    from ubtest.cli.progress import progress
    from ubtest.firmware.progress import Progress
    from ubtest.kernel.rootfs import get

    with progress() as show:
        made = get(options.name, lambda text: show(Progress(text)))
    size = made.image.stat().st_size / 1e6
    print(f"{len(made.packages)} packages, {size:.1f} MB", file=sys.stderr)
    print(made.folder)
    return 0


def _modules(options: argparse.Namespace) -> int:
    from ubtest.cli.progress import progress
    from ubtest.firmware.progress import Progress
    from ubtest.kernel.bundle import find
    from ubtest.kernel.vfio_platform import get

    kernel = find(options.origin)
    with progress() as show:
        made = get(kernel, lambda text: show(Progress(text)))
    print(made.folder)
    return 0
