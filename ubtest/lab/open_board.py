"""A board for a program that is not a test: opened from its file, and gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labgrid import Environment
from labgrid.exceptions import InvalidConfigError, NoSupplierFoundError

from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.recipe import check_current
from ubtest.lab.board import Board
from ubtest.project import Project


@contextmanager
def open_board(env_file: Path, firmware: Bundle | None) -> Iterator[Board]:
    """The board of a labgrid environment, off; it is powered off and its files go when this ends.

    :param firmware: what it runs; None takes the bundle that was asked for last.
    :raises CaseError: the file or the firmware is wrong, or the firmware is older than its
        declaration.
    :raises HostError: no firmware is built, or a program is missing.
    """
    if not env_file.is_file():
        known = ", ".join(sorted(str(path) for path in env_file.parent.glob("*.yaml"))) or "none"
        raise CaseError(f"there is no board file {env_file}", next_step=f"there are: {known}")
    try:
        env = Environment(str(env_file))
    except InvalidConfigError as error:
        raise CaseError(f"{env_file}: {error.msg}") from error
    try:
        board = _board(env, env_file)
        if firmware is not None:
            board.machine.bundle = firmware
        else:
            check_current(board.machine.bundle, Project.find(env_file))
        board.machine.check_host()
        yield board
    finally:
        env.cleanup()


def _board(env: Environment, env_file: Path) -> Board:
    try:
        target = env.get_target()
        if target is None:
            raise CaseError(f"{env_file} has no target `main`")
        return Board(target)
    except (InvalidConfigError, NoSupplierFoundError) as error:
        raise CaseError(f"{env_file}: {error.msg}") from error
