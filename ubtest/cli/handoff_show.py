"""`ubtest handoff show`"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add

if TYPE_CHECKING:
    from ubtest.handoff.handed import Handoff


def register(commands: Commands) -> None:
    parser = add(
        commands,
        "show",
        _show,
        does="boot a board to Linux and show what its firmware handed over: "
        "0 all rules hold, 1 one does not, 2 cannot tell",
        example="ubtest handoff show --lg-env boards/qemu-arm64.yaml --save handoff.tar.gz",
    )
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="a file that --save wrote"
    )
    parser.add_argument("--lg-env", type=Path, metavar="FILE", help="a live board, as for pytest")
    parser.add_argument("--firmware", type=Path, metavar="PATH", help="as for pytest")
    parser.add_argument(
        "--kernel", default="debian:6.1", metavar="ORIGIN", help="as for `ubtest kernel get`"
    )
    parser.add_argument(
        "--through", choices=("bootmgr", "booti"), default="bootmgr", help="default: %(default)s"
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


def _show(options: argparse.Namespace) -> int:
    import json

    from ubtest.cli.capsule_text import say
    from ubtest.cli.handoff_show_text import lines
    from ubtest.handoff.summary import summary
    from ubtest.uefi.variables import parse

    handoff = _handoff(options)
    if options.save:
        handoff.survey.save(options.save)
    found = summary(handoff, parse(handoff.held("variables")))
    say(json.dumps(found, indent=2).splitlines() if options.json else lines(found))
    return int(any(found["findings"].values()))


def _handoff(options: argparse.Namespace) -> "Handoff":
    from ubtest.errors import CaseError
    from ubtest.firmware.bundle import Bundle
    from ubtest.handoff.handed import Handoff, hand_over
    from ubtest.handoff.survey import Survey
    from ubtest.kernel.bundle import find
    from ubtest.lab.linux_boot import LinuxBoot
    from ubtest.lab.open_board import open_board

    if bool(options.file) == bool(options.lg_env):
        raise CaseError(
            "say either a board or a file",
            next_step="ubtest handoff show --lg-env boards/qemu-arm64.yaml",
        )
    if options.file:
        return Handoff(Survey.load(options.file))
    kernel = find(options.kernel)
    firmware = Bundle.open(options.firmware) if options.firmware else None
    boot = LinuxBoot(kernel, options.through, options.arguments, tuple(options.uboot))
    with open_board(options.lg_env, firmware) as board:
        return hand_over(board, boot)
