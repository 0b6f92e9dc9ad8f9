"""One run of a recipe on one firmware, on a board that is opened for it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle
from ubtest.lab.open_board import open_board
from ubtest.recipe.outcome import Outcome
from ubtest.recipe.runner import run
from ubtest.recipe.schema import Recipe


def attempt(recipe: Recipe, board_file: Path, firmware: Bundle) -> Outcome:
    """Run it; nothing is left behind.

    :raises CaseError: the recipe is not for this board, or the firmware is not as it needs it.
    :raises LabError: the lab failed.
    """
    if recipe.board and board_file.stem not in recipe.board:
        raise CaseError(
            f"the recipe is not for {board_file.stem}",
            next_step=f"it is for {', '.join(recipe.board)}",
        )
    if lacking := [name for name in recipe.needs if name.isupper() and not _has(firmware, name)]:
        raise CaseError(
            f"the recipe needs of CONFIG: {', '.join(lacking)}; {firmware.binary} is not so",
            next_step="change the board's fragment and build again",
        )
    with (
        TemporaryDirectory(prefix="ubtest-repro-") as folder,
        open_board(board_file, firmware) as board,
    ):
        return run(recipe, board, Path(folder))


def _has(firmware: Bundle, name: str) -> bool:
    return firmware.config.enabled(name.lstrip("!")) is not name.startswith("!")
