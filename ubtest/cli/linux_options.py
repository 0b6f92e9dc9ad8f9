"""What commands that judge a Linux have alike: a live board or a file that was saved before."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ubtest.lab.board import Board
    from ubtest.lab.linux_boot import LinuxBoot


def add_linux_options(parser: argparse.ArgumentParser) -> None:
    """The board, how Linux is started there, and what becomes of what was read."""
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="a file that --save wrote"
    )
    parser.add_argument("--lg-env", type=Path, metavar="FILE", help="a live board, as for pytest")
    parser.add_argument("--firmware", type=Path, metavar="PATH", help="as for pytest")
    parser.add_argument(
        "--kernel", default="debian:6.1", metavar="ORIGIN", help="as for `ubtest kernel get`"
    )
    parser.add_argument(
        "--arguments", default="", metavar="WORDS", help="kernel arguments after the board's own"
    )
    parser.add_argument(
        "--uboot",
        action="append",
        default=[],
        metavar="COMMAND",
        help="U-Boot command that edits the device tree before it is handed over; may be repeated",
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was read (tar.gz)")
    parser.add_argument("--json", action="store_true", help="for programs")


def saved_file(options: argparse.Namespace) -> Path | None:
    """The file to judge; None for a live board.

    :raises CaseError: neither was named, or both.
    """
    from ubtest.errors import CaseError

    if bool(options.file) == bool(options.lg_env):
        raise CaseError(
            "say either a board or a file", next_step="--lg-env boards/qemu-arm64.yaml, or a FILE"
        )
    file: Path | None = options.file
    return file


@contextmanager
def live_board(
    options: argparse.Namespace, through: Literal["bootmgr", "booti"] = "bootmgr"
) -> Iterator[tuple["Board", "LinuxBoot"]]:
    """The board, powered off, and how Linux is to be started on it; both end on leaving."""
    from ubtest.firmware.bundle import Bundle
    from ubtest.kernel.bundle import find
    from ubtest.lab.linux_boot import LinuxBoot
    from ubtest.lab.open_board import open_board

    boot = LinuxBoot(find(options.kernel), through, options.arguments, tuple(options.uboot))
    firmware = Bundle.open(options.firmware) if options.firmware else None
    with open_board(options.lg_env, firmware) as board:
        yield board, boot
