"""`ubtest preflight`"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add

if TYPE_CHECKING:
    from ubtest.preflight.finding import Finding, Report


def register(commands: Commands) -> None:
    parser = add(
        commands,
        "preflight",
        _preflight,
        does="ask a live board why it would not take a capsule: 0 it would, 1 not, 2 cannot tell",
        example="ubtest preflight --lg-env boards/qemu-arm64.yaml --disk esp.img --capsule u.cap",
    )
    parser.add_argument(
        "--lg-env", type=Path, required=True, metavar="FILE", help="the board, as for pytest"
    )
    parser.add_argument("--firmware", type=Path, metavar="PATH", help="as for pytest")
    parser.add_argument(
        "--disk", type=Path, metavar="IMAGE", help="the image of its disk; a copy is attached"
    )
    parser.add_argument("--capsule", type=Path, metavar="FILE", help="a capsule that it shall take")
    parser.add_argument("--json", action="store_true", help="for programs")


def _preflight(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_files import FileBytes
    from ubtest.cli.output import as_json, say
    from ubtest.firmware.bundle import Bundle
    from ubtest.lab.open_board import open_board
    from ubtest.preflight.ask import ask

    capsule = FileBytes(options.capsule).whole() if options.capsule else None
    firmware = Bundle.open(options.firmware) if options.firmware else None
    with open_board(options.lg_env, firmware) as board:
        report = ask(
            board,
            env_file=options.lg_env,
            disk=options.disk,
            capsule=(str(options.capsule), capsule) if capsule is not None else None,
        )
    if options.json:
        say(as_json(report).splitlines())
    else:
        say(lines(report))
    return report.exit_code


def lines(report: "Report") -> Iterator[str]:
    """One line a check, then what is to be done, then the verdict."""
    from ubtest.preflight.finding import Severity

    width = max(len(each.check) for each in report.findings)
    for each in report.findings:
        yield f"{each.severity.value:<11}  {each.check:<{width}}  {each.what}"
    for severity in (Severity.PROBLEM, Severity.NOTE):
        for each in report.of(severity):
            yield ""
            yield from _in_full(each)
    yield ""
    yield report.verdict


def _in_full(each: "Finding") -> Iterator[str]:
    import textwrap

    yield f"{each.severity.value}: {each.check}"
    for text in (each.what, each.why):
        yield from textwrap.wrap(
            text, 96, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    yield from (f"    {command}" for command in each.fix)
