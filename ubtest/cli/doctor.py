"""`ubtest doctor`"""

import argparse

from ubtest.cli.command import Commands, add


def register(commands: Commands) -> None:
    parser = add(
        commands,
        "doctor",
        _run,
        does="look at every tool and permission that is needed; exit 1 if one is missing",
        example="ubtest doctor",
    )
    parser.add_argument(
        "--install", action="store_true", help="install the missing Debian packages (root or sudo)"
    )


def _run(options: argparse.Namespace) -> int:
    from ubtest.doctor import examine, install

    return install(print) if options.install else examine(print)
