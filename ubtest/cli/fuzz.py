"""`ubtest fuzz`"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add, group

if TYPE_CHECKING:
    from ubtest.fuzz.campaign import Pace
    from ubtest.fuzz.finding import Finding

_LINE_EVERY = 5.0  # seconds between two lines of progress in a log
_UNITS = {"s": 1, "m": 60, "h": 3600}
MIXES = ("even", "signature")


def register(commands: Commands) -> None:
    fuzz = group(
        commands,
        "fuzz",
        does="send broken capsules to a live firmware and watch it",
        example="ubtest fuzz capsule --board sandbox --time 60s --seed 1",
    )
    capsule = add(
        fuzz,
        "capsule",
        _capsule,
        does="mutate good capsules field by field and look for crashes and wrong acceptance",
        example="ubtest fuzz capsule --board qemu-arm64 --time 10m --seed 7",
    )
    capsule.add_argument("--board", metavar="BOARD", help="boards/BOARD.yaml, or a board file")
    capsule.add_argument(
        "--firmware",
        type=Path,
        metavar="PATH",
        help="a bundle or build; default: the newest bundle",
    )
    capsule.add_argument(
        "--time", type=_seconds, metavar="T", help="how long: 60s, 10m (default: 60s)"
    )
    capsule.add_argument("--cases", type=_count, metavar="N", help="how many cases, at most")
    capsule.add_argument(
        "--seed", type=int, default=1, metavar="N", help="same seed, same cases (default: 1)"
    )
    capsule.add_argument(
        "--mix",
        choices=MIXES,
        default="even",
        help="what is mutated: everything, or mostly the signature's DER (default: even)",
    )
    capsule.add_argument(
        "--results",
        type=Path,
        default=Path("results/fuzz"),
        metavar="DIR",
        help="where findings go, one folder a campaign (default: %(default)s)",
    )
    capsule.add_argument(
        "--replay", type=Path, metavar="RECIPE", help="run the case of one recipe again"
    )


def _capsule(options: argparse.Namespace) -> int:
    return _replay(options) if options.replay else _campaign(options)


def _campaign(options: argparse.Namespace) -> int:
    from ubtest.deadline import Deadline
    from ubtest.errors import CaseError
    from ubtest.fuzz.bench import Bench

    if options.board is None:
        raise CaseError("which board?", next_step="add --board sandbox, or --board qemu-arm64")
    limit = options.time or (60.0 if options.cases is None else 86400.0)
    with Bench.open(options.board, options.firmware, options.seed, options.mix) as bench:
        folder = bench.results(options.results)
        print(f"firmware: {bench.setting.firmware.banner}", file=sys.stderr)
        print(f"results: {folder}", file=sys.stderr)
        with _pace() as show:
            campaign = bench.campaign(folder, _say, show)
            try:
                campaign.run(Deadline(limit), options.cases)
                campaign.minimise(Deadline(max(30.0, limit / 2)))
            finally:
                bench.keep(folder, campaign.findings)
    rate = campaign.done / campaign.seconds if campaign.seconds else 0
    print(f"{campaign.done} cases, {rate:.0f} a second, {bench.trials.boots} boots")
    for finding in campaign.findings:
        print(f"  {finding.count:6} x {finding}")
    if not campaign.findings:
        print("  no finding")
    return 1 if campaign.findings else 0


def _replay(options: argparse.Namespace) -> int:
    from ubtest.fuzz.bench import Bench
    from ubtest.fuzz.recipe import Recipe

    recipe = Recipe.read(options.replay)
    board = options.board or recipe.board
    with Bench.open(board, options.firmware, recipe.seed, recipe.mix) as bench:
        sighting = bench.replay(recipe)
    print(f"wanted: {recipe.finding}\nseen:   {sighting or 'nothing wrong'}")
    return 1 if sighting else 0


def _say(finding: "Finding") -> None:
    if finding.alone is None:
        print(f"case {finding.case.number}: {finding}", file=sys.stderr, flush=True)


@contextmanager
def _pace() -> Iterator[Callable[["Pace"], None]]:
    """Shows how it goes: in place on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    # Late: it takes a third of the time that `ubtest --help` may take
    from rich.console import Console

    with Console(stderr=True).status("booting") as status:
        yield lambda pace: status.update(_line(pace))


class _Lines:
    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, pace: "Pace") -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            print(_line(pace), file=sys.stderr, flush=True)


def _line(pace: "Pace") -> str:
    return (
        f"{pace.stage}: {pace.cases} cases in {pace.seconds:.0f} s, {pace.rate:.0f} a second, "
        f"{pace.boots} boots, {pace.findings} findings"
    )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"a time is written like 60s, 10m or 1h, not {text!r}")
    return float(found[1]) * _UNITS[found[2] or "s"]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
