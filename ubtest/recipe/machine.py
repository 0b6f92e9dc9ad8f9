"""The machine of a recipe: what QEMU alone can do."""

from typing import Any

from ubtest.errors import CaseError
from ubtest.lab.board import Board
from ubtest.lab.qemu import QEMUMachineDriver
from ubtest.recipe.schema import Machine


def qemu(board: Board, what: str) -> QEMUMachineDriver:
    """The board's machine.

    :param what: it is wanted for.
    :raises CaseError: it is not QEMU.
    """
    if not isinstance(board.machine, QEMUMachineDriver):
        raise CaseError(
            f"this board cannot have {what}",
            next_step="name a board of QEMU in the recipe's `board`",
        )
    return board.machine


def shape(board: Board, wanted: Machine) -> None:
    """Make the board, which is off, another machine.

    :raises CaseError: it has no device that is to be left away.
    """
    machine = qemu(board, "another machine")
    declared = {line.partition(",")[0] for line in machine.declared_devices}
    if unknown := set(wanted.without) - declared:
        raise CaseError(
            f"the board has no {', '.join(sorted(unknown))} to leave away",
            next_step=f"it has {', '.join(sorted(declared))}",
        )
    changes: dict[str, Any] = {
        name: value
        for name in ("memory", "smp", "cpu", "machine")
        if (value := getattr(wanted, name))
    }
    if wanted.icount is not None:
        changes["icount"] = wanted.icount
    if wanted.without:
        kept = (d for d in machine.declared_devices if d.partition(",")[0] not in wanted.without)
        changes["devices"] = tuple(kept)
    machine.shape(**changes)
