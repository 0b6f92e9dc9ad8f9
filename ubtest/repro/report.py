"""A report as it is tried: a mail that became a recipe, or a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.project import Project
from ubtest.recipe import SUFFIX, load
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, Menu, Press, Reset, Shell, UBoot
from ubtest.repro.board_file import BoardFile
from ubtest.repro.comparison import Spoken
from ubtest.repro.dialogue import BOARD, board_of
from ubtest.repro.draft import draft
from ubtest.repro.mail import read as read_mail
from ubtest.repro.safety import Concern, concerns, permit
from ubtest.repro.understanding import Understanding, understand


@dataclass(frozen=True)
class Report:
    """What is to be tried, and where.

    :param understood: None for a file that is a recipe.
    :param recipe: None where nothing in the mail can be done.
    :param said: of :class:`Draft`, as are ``notes`` and ``conclusive``.
    """

    board: BoardFile
    recipe: Recipe | None
    understood: Understanding | None = None
    said: tuple[Spoken, ...] = ()
    notes: tuple[str, ...] = ()
    conclusive: bool = True

    @classmethod
    def read(cls, file: Path, board: str, project: Project) -> "Report":
        """From a file.

        :param board: what the user says; empty for what the report says.
        :raises CaseError: it can be neither, or its recipe is for another board.
        """
        if file.name.endswith(SUFFIX):
            return cls._recipe(load(file), board, project)
        messages = read_mail(file)
        understood = understand(messages)
        chosen = BoardFile.read(board or board_of(understood), project)
        made = draft(messages, understood, board=chosen.path.stem, has=chosen.devices)
        return cls(chosen, made.recipe, understood, made.said, made.notes, made.conclusive)

    @classmethod
    def _recipe(cls, recipe: Recipe, board: str, project: Project) -> "Report":
        named = board or (recipe.board[0] if recipe.board else BOARD)
        chosen = BoardFile.read(named, project)
        if recipe.board and chosen.path.stem not in recipe.board:
            raise CaseError(
                f"the recipe is not for {chosen.path.stem}",
                next_step=f"it is for {', '.join(recipe.board)}",
            )
        return cls(chosen, recipe)

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """What of the recipe may write.

        :raises CaseError: a command holds control characters.
        """
        return concerns_of(self.recipe) if self.recipe else ()

    def permit(self, yes: bool) -> None:
        """See :func:`ubtest.repro.safety.permit`."""
        permit(self.concerns, self.board.place, yes)


def concerns_of(recipe: Recipe) -> tuple[Concern, ...]:
    """What of a recipe is not known to read only."""
    uboot, shell, others = list[str](), list[str](), list[Concern]()
    for step in recipe.steps:
        if isinstance(step, UBoot):
            uboot.append(step.uboot)
        elif isinstance(step, Menu):
            uboot.append(step.menu)
        elif isinstance(step, Linux):
            uboot += [*step.linux.commands, *step.linux.tree]
        elif isinstance(step, Shell):
            shell.append(step.shell)
        elif isinstance(step, Press):
            others.append(Concern(f"keys {_keys(step.press)}", "a menu can change boot options"))
        elif isinstance(step, Reset):
            uboot.append("reset")
    return (*concerns(uboot, shell), *others)


def _keys(keys: Sequence[str | float]) -> str:
    return " ".join(map(repr, keys))
