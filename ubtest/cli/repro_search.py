"""`ubtest repro --minimise` and `--bisect`"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ubtest.firmware.bundle import Bundle
    from ubtest.project import Project
    from ubtest.recipe.schema import Recipe
    from ubtest.repro.bisection import Step
    from ubtest.repro.history import Revision
    from ubtest.repro.report import Report


_UNCOMPARED = (
    "minimised without a firmware that does not have the bug: check that nothing it needs is gone"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of both searches."""
    smaller = parser.add_argument_group("make the recipe smaller")
    smaller.add_argument(
        "--minimise",
        action="store_true",
        help="leave out steps and devices as long as each --firmware shows what it showed",
    )
    smaller.add_argument("--out", type=Path, metavar="FILE", help="where to; default: the terminal")
    commit = parser.add_argument_group("find the commit")
    commit.add_argument(
        "--bisect", metavar="OLD..NEW", help="build commits, and find the first that has the bug"
    )
    commit.add_argument("--tree", type=Path, metavar="PATH", help="a git repository of U-Boot")
    commit.add_argument(
        "--first-fixed", action="store_true", help="OLD has the bug: find what mended it"
    )


def wanted(options: argparse.Namespace) -> bool:
    """Whether a search is asked for.

    :raises CaseError: half of one is.
    """
    from ubtest.errors import CaseError

    if options.minimise and options.bisect:
        raise CaseError("two searches at once", next_step="give --minimise first, then --bisect")
    if bool(options.bisect) is not bool(options.tree):
        raise CaseError("a bisection needs --bisect and --tree", next_step="give both")
    if options.first_fixed and not options.bisect:
        raise CaseError("--first-fixed belongs to --bisect", next_step="add --bisect OLD..NEW")
    if options.out and not options.minimise:
        raise CaseError("--out belongs to --minimise", next_step="add --minimise")
    return bool(options.minimise or options.bisect)


def search(options: argparse.Namespace, read: "Report", project: "Project") -> int:
    """Do it; returns the exit code: 0, or 2 where skipped commits hide which one it is."""
    from ubtest.errors import CaseError

    if read.recipe is None or read.understood is not None:
        # What was drafted of a mail may fail for what only the reporter's board has
        raise CaseError(
            f"{options.file} is a mail, and a search takes a recipe",
            next_step="add --recipe NAME.recipe.yaml --dry-run, look it over, and search by that",
        )
    if options.bisect:
        return _bisect(options, read, read.recipe, project)
    return _minimise(options, read, read.recipe, project)


def _minimise(
    options: argparse.Namespace, read: "Report", recipe: "Recipe", project: "Project"
) -> int:
    from ubtest.cli.progress import progress
    from ubtest.errors import writing
    from ubtest.firmware.progress import Progress
    from ubtest.recipe import dump
    from ubtest.recipe.judge import told
    from ubtest.repro.choice import chosen
    from ubtest.repro.minimise import minimise
    from ubtest.repro.reference import Reference

    with progress() as show:
        bundles = list(chosen(read.board.firmware, options.firmware, project, show))
        show(Progress("running the whole recipe"))
        reference = Reference.of(recipe, read.board.path, bundles)

        def tell(run: int, parts: int) -> None:
            show(Progress(f"run {run} of a smaller recipe: {parts} steps and devices"))

        small = minimise(recipe, reference.holds, tell)
    text = dump(small.recipe)
    if not reference.compared:
        print(_UNCOMPARED, file=sys.stderr)
        text = f"# {_UNCOMPARED}\n{text}"
    for part in small.dropped:
        print(f"not needed: {told(part)}", file=sys.stderr)
    print(f"{len(small.dropped)} parts less, {small.runs} runs", file=sys.stderr)
    if options.out is None:
        print(text, end="")
        return 0
    with writing(options.out):
        options.out.write_text(text, encoding="utf-8")
    return 0


def _bisect(
    options: argparse.Namespace, read: "Report", recipe: "Recipe", project: "Project"
) -> int:
    from ubtest.cli.progress import progress
    from ubtest.firmware.checkout import Checkout
    from ubtest.firmware.progress import OnProgress, Progress
    from ubtest.firmware.source import Source
    from ubtest.repro.bisection import Bisection
    from ubtest.repro.choice import built_from
    from ubtest.repro.history import History
    from ubtest.repro.verdict import run_on

    board = read.board

    def build(source: Source, show: OnProgress) -> "Bundle":
        return built_from(source, board.firmware, project, show)

    history = History.read(options.tree, options.bisect)
    with (
        _asked_for_last(board.firmware),
        progress() as show,
        Checkout.open(options.tree, lambda text: show(Progress(text))) as checkout,
    ):
        found = Bisection(
            history,
            checkout.at,
            build,
            lambda bundle: run_on(recipe, board.path, bundle),
            mended=options.first_fixed,
            on_step=lambda step: print(_line(step), file=sys.stderr, flush=True),
            on_progress=show,
        ).run()
    print("\n".join(_told(found, "fixed" if options.first_fixed else "bad")))
    return 0 if len(found) == 1 else 2


@contextmanager
def _asked_for_last(board: str) -> Iterator[None]:
    """What plain runs of tests take stays what it is."""
    from ubtest.errors import HostError
    from ubtest.firmware.bundle import MANIFEST, find

    try:
        before = find(board)
    except HostError:
        yield
        return
    try:
        yield
    finally:
        os.utime(before.path / MANIFEST)


def _line(step: "Step") -> str:
    first, *more = step.why.splitlines() or [""]
    why = f"{first} {more[0].strip()}" if more and first.endswith(":") else first
    return f"{step.revision.short} {step.answer.value}, {step.seconds:.0f} s: {why}"


def _told(found: Sequence["Revision"], what: str) -> Iterator[str]:
    if len(found) == 1:
        yield f"first {what} commit: {found[0]}"
        return
    yield f"the first {what} commit is one of {len(found)}, those between could not be told:"
    yield from (f"  {revision}" for revision in found)
