"""`ubtest vfio`"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli import vfio_message
from ubtest.cli.command import Commands, add, group

if TYPE_CHECKING:
    from ubtest.handoff.survey import Survey


def register(commands: Commands) -> None:
    words = group(
        commands,
        "vfio",
        does="say whether devices can be passed to a guest",
        example="ubtest vfio explain --lg-env boards/qemu-arm64.yaml",
    )
    parser = add(
        words,
        "explain",
        _explain,
        does="name what stands between a device and a guest, whose fault it is, and the fix: "
        "0 data moved, 1 it cannot be passed through, 2 cannot tell",
        example="ubtest vfio explain --lg-env boards/qemu-arm64.yaml --save target.tar.gz",
    )
    parser.add_argument(
        "survey", type=Path, nargs="?", metavar="SURVEY", help="a file that --save wrote"
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
    parser.add_argument(
        "--shell",
        default="",
        metavar="LINE",
        help="run this on the target before, to load the drivers that it normally has",
    )
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="NAME",
        help="0000:00:02.0 or f2000000.ethernet; it is bound to VFIO meanwhile; may be repeated; "
        "without: the PCI devices that have no driver",
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was read (tar.gz)")
    parser.add_argument("--json", action="store_true", help="for programs")
    vfio_message.register(words)


def _explain(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_text import as_json, say
    from ubtest.cli.vfio_text import lines, summary
    from ubtest.handoff.explanation import explain

    survey = _survey(options)
    if options.save:
        survey.save(options.save)
    explanation = explain(survey, options.device)
    say(as_json(summary(explanation)).splitlines() if options.json else lines(explanation))
    return explanation.exit_code


def _survey(options: argparse.Namespace) -> "Survey":
    from ubtest.errors import CaseError
    from ubtest.handoff.survey import Survey

    if bool(options.survey) == bool(options.lg_env):
        raise CaseError(
            "a survey or a live board is wanted, one of them",
            next_step="give a file, or --lg-env BOARD",
        )
    return Survey.load(options.survey) if options.survey else _live(options)


def _live(options: argparse.Namespace) -> "Survey":
    from ubtest.errors import CaseError
    from ubtest.firmware.bundle import Bundle
    from ubtest.handoff.binding import examine
    from ubtest.kernel.bundle import find
    from ubtest.lab.linux_boot import LinuxBoot
    from ubtest.lab.open_board import open_board

    firmware = Bundle.open(options.firmware) if options.firmware else None
    boot = LinuxBoot(find(options.kernel), arguments=options.arguments, tree=tuple(options.uboot))
    with open_board(options.lg_env, firmware) as board:
        shell = board.linux(boot)
        if options.shell and (reply := shell.run(options.shell)).status:
            raise CaseError(
                f"`{options.shell}` ended with {reply.status} on the target: {reply.text.strip()}",
                next_step="give --shell a line that succeeds there",
            )
        return examine(shell, options.device)
