"""The command `ubtest`: argument parsing only, the work is done in the rooms below."""

import argparse
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ubtest import __version__
from ubtest.cli import (
    capsule,
    doctor,
    firmware,
    fuzz,
    handoff,
    image,
    kernel,
    keys,
    preflight,
    repro,
    vfio,
)
from ubtest.errors import CaseError, UbtestError

_ENDING = """\
exit codes:
  0    it worked
  1    the firmware, `ubtest doctor` or `ubtest capsule` says no, or a bug was reproduced
  2    the input, this machine or the lab is at fault; the message says which
  130  stopped by Ctrl-C (143: by SIGTERM)

example, from nothing to a tested firmware:
  ubtest keys make
  ubtest firmware build qemu-arm64
  pytest --lg-env boards/qemu-arm64.yaml
"""


class _Stopped(KeyboardInterrupt):
    """Told to end by a signal: leaves through the same doors as Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` or a pager, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except UbtestError as error:
        if options.debug:
            raise
        if isinstance(error, CaseError):
            error.owner = "input"  # no test is in play here
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as stopped:
        print("stopped", file=sys.stderr)
        return getattr(stopped, "exit_code", 130)
    return code


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped(number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ubtest",
        description="Tests U-Boot's UEFI firmware on QEMU and on real boards.",
        epilog=_ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ubtest {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where in ubtest an error arose")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in (
        doctor,
        keys,
        firmware,
        kernel,
        capsule,
        image,
        preflight,
        fuzz,
        repro,
        handoff,
        vfio,
    ):
        room.register(commands)
    return parser
