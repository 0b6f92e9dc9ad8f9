"""`ubtest vfio`"""

import argparse
from typing import TYPE_CHECKING

from ubtest.cli import vfio_message
from ubtest.cli.command import Commands, add, group
from ubtest.cli.linux_options import add_linux_options, live_board, saved_file

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
    add_linux_options(parser)
    vfio_message.register(words)


def _explain(options: argparse.Namespace) -> int:
    from ubtest.cli.output import as_json, say
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
    from ubtest.handoff.binding import examine
    from ubtest.handoff.survey import Survey

    if file := saved_file(options):
        return Survey.load(file)
    with live_board(options) as (board, boot):
        shell = board.linux(boot)
        if options.shell and (reply := shell.run(options.shell)).status:
            raise CaseError(
                f"`{options.shell}` ended with {reply.status} on the target: {reply.text.strip()}",
                next_step="give --shell a line that succeeds there",
            )
        return examine(shell, options.device)
