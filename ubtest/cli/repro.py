"""`ubtest repro`"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add
from ubtest.cli.repro_search import add_options, search, wanted

if TYPE_CHECKING:
    from ubtest.firmware.bundle import Bundle
    from ubtest.project import Project
    from ubtest.repro.report import Report
    from ubtest.repro.verdict import Trial

_MORE = """
A mail (.eml, mbox, a page of an archive, plain text) is shown as it was understood, each fact
with its line, and becomes a recipe. Nothing of it runs on this machine: command lines of the host
are shown only, and disks are ours. --dry-run ends there; --recipe keeps the recipe, to be edited
and run again.

The recipe runs on the newest build of each version that the cache has, or on those that
--firmware names; a version that is not there is built. On QEMU it runs on copies. On a real
board, commands that may write are listed and need --yes.

exit codes:
  0  not reproduced on any version (or --dry-run)
  1  reproduced on one or more
  2  cannot tell, and reproduced on none; or the input, this machine or the lab is at fault
"""


def register(commands: Commands) -> None:
    parser = add(
        commands,
        "repro",
        _repro,
        does="reproduce a bug report on several versions, and say where it shows",
        example="ubtest repro report.eml --firmware 2023.01 2025.01 --reply answer.txt",
    )
    parser.epilog = f"{parser.epilog}\n{_MORE}"
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a mail, or a recipe (NAME.recipe.yaml)"
    )
    parser.add_argument(
        "--board", metavar="NAME", help="boards/NAME.yaml, or a board file; else as in the report"
    )
    parser.add_argument(
        "--firmware",
        nargs="+",
        default=[],
        metavar="VERSION|PATH",
        help="2023.01, or a bundle, build directory or u-boot.bin; default: all that are built",
    )
    parser.add_argument(
        "--yes", action="store_true", help="let commands that may write run on a real board"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the recipe and run nothing")
    parser.add_argument("--recipe", type=Path, metavar="OUT", help="write the recipe there")
    parser.add_argument("--reply", type=Path, metavar="OUT", help="write an answer by mail there")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_options(parser)


def _repro(options: argparse.Namespace) -> int:
    from ubtest.cli.repro_text import report_lines, show_comparison, table_lines, write
    from ubtest.project import Project
    from ubtest.repro.report import Report
    from ubtest.repro.verdict import exit_code, narrowed

    project = Project.find()
    read = Report.read(options.file, options.board or "", project)
    searching = wanted(options)
    shown = sys.stderr if options.json or searching else sys.stdout
    write(report_lines(read), shown)
    if options.dry_run or read.recipe is None:
        return _ended(options, read, [], 2 if read.recipe is None else 0)
    read.permit(options.yes)
    if searching:
        return search(options, read, project)
    trials = _tried(read, _bundles(options, read, project))
    write([""], shown)
    for each in trials:
        show_comparison(read.said, each, shown)
    write(table_lines(trials), shown)
    if read.understood is not None:
        read = replace(read, recipe=narrowed(read.recipe, trials))
    return _ended(options, read, trials, exit_code(each.verdict for each in trials))


def _bundles(options: argparse.Namespace, read: "Report", project: "Project") -> "list[Bundle]":
    from ubtest.cli.progress import progress
    from ubtest.repro.choice import chosen

    with progress() as show:
        return list(chosen(read.board.firmware, options.firmware, project, show))


def _tried(read: "Report", bundles: "list[Bundle]") -> "list[Trial]":
    """The recipe on each firmware."""
    from ubtest.cli.progress import progress
    from ubtest.firmware.progress import Progress
    from ubtest.repro.verdict import attempt

    assert read.recipe is not None
    trials = list["Trial"]()
    start = time.monotonic()
    with progress() as show:
        for number, bundle in enumerate(bundles):
            words = f"U-Boot {bundle.version}, {number + 1} of {len(bundles)}"
            show(Progress(words, number, len(bundles), time.monotonic() - start))
            trials.append(
                attempt(
                    read.recipe,
                    read.board.path,
                    bundle,
                    conclusive=read.conclusive,
                    drafted=read.understood is not None,
                )
            )
    return trials


def _ended(options: argparse.Namespace, read: "Report", trials: "list[Trial]", code: int) -> int:
    from ubtest.cli.repro_text import summary
    from ubtest.recipe import dump
    from ubtest.repro.reply import reply

    if options.recipe and read.recipe:
        _keep(options.recipe, dump(read.recipe))
    if options.reply and read.recipe:
        _keep(options.reply, reply(read.recipe, trials, read.notes))
    if options.json:
        print(json.dumps(summary(read, trials, code if trials else None), indent=2))
    return code


def _keep(path: Path, text: str) -> None:
    from ubtest.errors import writing

    with writing(path):
        path.write_text(text, encoding="utf-8")
