"""`ubtest firmware`"""

import argparse
import sys
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add, group
from ubtest.cli.pruning import add_prune, at_least_one
from ubtest.firmware.source import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ubtest.firmware.bundle import Bundle
    from ubtest.firmware.prune import Unwanted

# The declared key whose capsules a firmware accepts
_SIGNER = "trusted"


def register(commands: Commands) -> None:
    firmware = group(
        commands,
        "firmware",
        does="build U-Boot and look at what was built",
        example="ubtest firmware build qemu-arm64",
    )
    build = add(
        firmware,
        "build",
        _build,
        does="build a board's U-Boot into the cache and print where it is",
        example="ubtest firmware build qemu-arm64 --source debian:2023.01",
    )
    _board(build)
    build.add_argument(
        "--source",
        default=DEFAULT,
        help="debian:VERSION, a U-Boot tree, or TREE@GIT-REVISION (default: %(default)s)",
    )
    build.add_argument(
        "--jobs",
        type=at_least_one,
        metavar="N",
        help="compilers at once (default: one a processor)",
    )
    add(
        firmware,
        "list",
        _list,
        does="list the bundles in the cache, the one asked for last first",
        example="ubtest firmware list",
    )
    show = add(
        firmware,
        "show",
        _show,
        does="show all that is known about a firmware",
        example="ubtest firmware show qemu-arm64",
    )
    add_prune(
        firmware,
        _unwanted,
        does="remove from the cache what boards/ no longer asks for, or nobody did for long",
        example="ubtest firmware prune --dry-run",
    )
    show.add_argument(
        "firmware", metavar="BOARD|PATH", help="a board, or a bundle, build directory or u-boot.bin"
    )


def _build(options: argparse.Namespace) -> int:
    from ubtest.cli.progress import progress
    from ubtest.crypto.keyring import KeyRing
    from ubtest.firmware import source
    from ubtest.firmware.build import build
    from ubtest.firmware.progress import Progress
    from ubtest.project import Project

    project = Project.find()
    board, _, variant = options.board.partition("+")
    with progress() as show:
        ring = KeyRing.load(project.keys)
        ring.make(lambda name: show(Progress(f"made the key {name}")))
        bundle = build(
            board,
            source.resolve(options.source, lambda text: show(Progress(text))),
            project=project,
            certificate=ring[_SIGNER].certificate_path,
            fingerprint=ring[_SIGNER].fingerprint,
            variant=variant,
            jobs=options.jobs,
            on_progress=show,
        )
    print(_line(bundle), file=sys.stderr)
    print(bundle.path)
    return 0


def _list(options: argparse.Namespace) -> int:
    from ubtest.firmware.bundle import listing

    for bundle in listing():
        print(f"{_line(bundle)}\n    {bundle.path}")
    return 0


def _show(options: argparse.Namespace) -> int:
    from pathlib import Path

    from ubtest.firmware.bundle import Bundle, find

    path = Path(options.firmware)
    bundle = Bundle.open(path) if path.exists() else find(*options.firmware.split("+", 1))
    traits = bundle.traits
    rows = {
        "path": bundle.path,
        "version": bundle.version,
        "banner": bundle.banner,
        "processor": bundle.arch,
        "capsule key in": "the device tree" if traits.capsule_key == "dtb" else "the binary",
        "device tree": bundle.dtb or "none: the board brings its own",
    }
    plain = {k: v for k, v in bundle.manifest.items() if isinstance(v, str) and k not in rows}
    for name, value in (rows | plain).items():
        print(f"{name.replace('_', ' '):24} {value}")
    for line in bundle.manifest.get("fragment", []):
        print(f"{'fragment':24} {line}")
    for name, facts in bundle.manifest.get("files", {}).items():
        print(f"{name:24} {facts['size']:>9} bytes  sha256 {facts['sha256']}")
    return 0


def _unwanted(days: int) -> "Iterator[Unwanted]":
    from ubtest.firmware.prune import unwanted
    from ubtest.project import Project

    return unwanted(Project.find(), days)


def _line(bundle: "Bundle") -> str:
    from ubtest.firmware.bundle import full_name

    name = full_name(bundle.board, bundle.variant)
    fingerprint = (bundle.certificate_fingerprint or "none")[:12]
    built = bundle.manifest.get("built", "")
    return f"{name:28} {bundle.banner}  built {built}  certificate {fingerprint}"


def _board(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "board",
        metavar="BOARD[+VARIANT]",
        help="boards/BOARD.config, then boards/BOARD+VARIANT.config",
    )
