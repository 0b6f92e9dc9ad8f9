"""`ubtest handoff show`"""

import argparse
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add
from ubtest.cli.linux_options import add_linux_options, live_board, saved_file

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
        "--through", choices=("bootmgr", "booti"), default="bootmgr", help="default: %(default)s"
    )
    add_linux_options(parser)


def _show(options: argparse.Namespace) -> int:
    from ubtest.cli.handoff_show_text import lines
    from ubtest.cli.output import json_text, say
    from ubtest.handoff.summary import summary
    from ubtest.uefi.variables import parse

    handoff = _handoff(options)
    if options.save:
        handoff.survey.save(options.save)
    found = summary(handoff, parse(handoff.held("variables")))
    say(json_text(found).splitlines() if options.json else lines(found))
    return int(any(found["findings"].values()))


def _handoff(options: argparse.Namespace) -> "Handoff":
    from ubtest.handoff.handed import Handoff, hand_over
    from ubtest.handoff.survey import Survey

    if file := saved_file(options):
        return Handoff(Survey.load(file))
    with live_board(options, options.through) as (board, boot):
        return hand_over(board, boot)
