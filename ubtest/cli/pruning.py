"""`prune` of a part of the cache: the same question and the same answer for each part."""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add

if TYPE_CHECKING:
    from ubtest.firmware.prune import Unwanted

Find = Callable[[int], "Iterator[Unwanted]"]


def add_prune(commands: Commands, find: Find, *, does: str, example: str) -> None:
    """Declare the subcommand.

    :param find: what is not wanted, by the days for which what was used is kept.
    """
    parser = add(commands, "prune", partial(_prune, find), does=does, example=example)
    parser.add_argument(
        "--days",
        type=at_least_one,
        default=30,
        metavar="N",
        help="keep what was used in the last N days (default: %(default)s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")


def at_least_one(text: str) -> int:
    """A number for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _prune(find: Find, options: argparse.Namespace) -> int:
    from ubtest.project import cache

    total = 0
    for each in find(options.days):
        size = each.size
        gone = options.dry_run or each.remove()
        total += size if gone else 0
        kept = "" if gone else " (in use: kept)"
        print(f"{size / 1e6:8.1f} MB  {each.path.relative_to(cache())}: {each.why}{kept}")
    print(f"{total / 1e6:8.1f} MB  {'would be ' if options.dry_run else ''}freed")
    return 0
