"""What a board file says before the board is opened: what runs there, and where that is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labgrid.config import Config
from labgrid.exceptions import InvalidConfigError

from ubtest.errors import CaseError
from ubtest.project import Project
from ubtest.repro.safety import Place

# Driver of a board file -> where its commands run; any other driver is one of real hardware
_PLACES = {"QEMUMachineDriver": Place.COPIES, "SandboxMachineDriver": Place.HOST}


@dataclass(frozen=True)
class BoardFile:
    """:param firmware: the board whose bundles run on it.
    :param devices: drivers of QEMU devices that are always in it.
    """

    path: Path
    firmware: str
    devices: tuple[str, ...]
    place: Place

    @classmethod
    def read(cls, board: str, project: Project) -> "BoardFile":
        """By its name, or by its path.

        :raises CaseError: there is none, or it is none.
        """
        path = Path(board) if board.endswith(".yaml") else project.boards / f"{board}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(each.stem for each in project.boards.glob("*.yaml")))
            raise CaseError(f"there is no board `{board}`", next_step=f"there are: {known}")
        try:
            drivers = _drivers(Config(str(path)).get_targets().get("main", {}))
        except (InvalidConfigError, AttributeError, TypeError) as error:
            raise CaseError(f"{path} is no board file: {error}") from error
        name = next((each for each in _PLACES if each in drivers), "")
        said = drivers.get(name) or {}
        return cls(
            path,
            str(said.get("firmware", path.stem)),
            tuple(str(each).partition(",")[0] for each in said.get("devices", ())),
            _PLACES.get(name, Place.HARDWARE),
        )


def _drivers(target: dict[str, Any]) -> dict[str, Any]:
    """labgrid takes a mapping, or a list of mappings."""
    said = target.get("drivers", {})
    if isinstance(said, dict):
        return said
    return {name: settings for each in said for name, settings in each.items()}
