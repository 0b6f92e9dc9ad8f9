"""Recipes as tests: one item for each `*.recipe.yaml` among what pytest is told to run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ubtest.errors import CaseError, FirmwareError
from ubtest.lab.board import Board
from ubtest.plugin.known_bugs import known_bug
from ubtest.plugin.recording import Results
from ubtest.plugin.run_state import RUN
from ubtest.recipe import SUFFIX, Outcome, Recipe, Verdict, load, run


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "RecipeFile | None":
    if not file_path.name.endswith(SUFFIX):
        return None
    return RecipeFile.from_parent(parent, path=file_path)


class RecipeFile(pytest.File):
    """One file, one test."""

    def collect(self) -> Iterator["RecipeItem"]:
        """The test, with the marks that its recipe asks for.

        :raises CollectError: it is no recipe; names file, line and what is allowed.
        """
        try:
            recipe = load(self.path)
            if recipe.known_bug:
                known_bug(recipe.known_bug)
        except CaseError as error:
            raise self.CollectError(str(error)) from error
        name = self.path.name.removesuffix(SUFFIX)
        item = RecipeItem.from_parent(self, name=name, callobj=_test_of(recipe))
        item.kernel = recipe.kernel
        for mark in _marks(recipe, self.config):
            item.add_marker(mark)
        yield item


class RecipeItem(pytest.Function):
    """A test function in all but its place, which is the recipe.

    :ivar kernel: the origin of the kernel that it boots; empty for none.
    """

    kernel = ""

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


def _test_of(recipe: Recipe) -> Any:
    def test_recipe(board: Board, results: Results, tmp_path: Path) -> None:
        outcome = run(recipe, board, tmp_path)
        results.note("recipe", recipe.title)
        for held in (*outcome.expected, *outcome.symptoms):
            for name, text in held.captures.items():
                results.note(name, text)
        _judge(recipe, outcome)

    return test_recipe


def _judge(recipe: Recipe, outcome: Outcome) -> None:
    """Fail as the firmware's fault; a `known_bug` counts only when its symptom was seen."""
    if outcome.verdict is Verdict.REPRODUCED:
        raise FirmwareError(f"{recipe.title}\n{outcome.reason}")
    if outcome.verdict is Verdict.CANNOT_TELL:
        pytest.fail(f"{recipe.title}: not as expected, and not as reported\n{outcome.reason}")


def _marks(recipe: Recipe, config: pytest.Config) -> Iterator[pytest.MarkDecorator]:
    if needs := (*recipe.needs, *(["linux"] if recipe.kernel else [])):
        yield pytest.mark.needs(*needs)
    if recipe.known_bug:
        yield pytest.mark.known_bug(recipe.known_bug)
    if recipe.slow:
        yield pytest.mark.slow
    if recipe.variant:
        yield pytest.mark.variant
    found = config.stash.get(RUN, None)
    here = found.board.machine.firmware if found else ""
    if here and recipe.board and here not in recipe.board:
        boards = ", ".join(recipe.board)
        yield pytest.mark.skip(reason=f"the recipe is for {boards}, this is {here}")
