"""`ubtest vfio message`: what QEMU's words alone tell."""

import argparse
import sys

from ubtest.cli.command import Commands, add


def register(vfio: Commands) -> None:
    parser = add(
        vfio,
        "message",
        _message,
        does="name the step of VFIO that a message of QEMU is about, and what is likely behind it",
        example="ubtest vfio message 'vfio 0000:01:00.0: failed to setup container for group 4: "
        "Failed to set iommu for container: No space left on device'",
    )
    parser.add_argument(
        "text", nargs="?", metavar="TEXT", help="the message; without: standard input"
    )


def _message(options: argparse.Namespace) -> int:
    from ubtest.cli.output import say
    from ubtest.errors import CaseError
    from ubtest.handoff.qemu_words import layer_of

    text = sys.stdin.read() if options.text is None else options.text
    found = layer_of(text)
    if found is None:
        raise CaseError(
            "no message of QEMU about VFIO is in this text",
            next_step="paste the whole line that QEMU prints, with `vfio` and the error in it",
        )
    say([str(found), *(f"  - {cause}" for cause in found.causes)])
    return 0
