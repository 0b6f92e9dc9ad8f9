"""What the firmware and the board can do, and the honest reason when a test cannot run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ubtest.errors import CaseError
from ubtest.firmware.config import Kconfig


@dataclass
class Capabilities:
    """Answers ``needs`` markers: CONFIG symbols from the firmware, other words from its version or
    the board.

    A symbol with ``!`` before it must be off.

    :param config: the `.config` of the firmware under test.
    :param promised: the board file's ``features``.
    :param version: what the firmware's version has or has not.
    """

    config: Kconfig
    promised: frozenset[str]
    version: Mapping[str, bool] = field(default_factory=dict)
    asked: dict[str, bool] = field(default_factory=dict)

    def missing(self, needed: tuple[str, ...]) -> str | None:
        """Why a test cannot run here; None when it can.

        :raises CaseError: the board file promises what the firmware lacks.
        """
        for name in needed:
            self.asked[name] = self._has(name)
        lacking = [name for name in needed if not self.asked[name]]
        if broken := [name for name in lacking if name in self.promised]:
            raise CaseError(
                "the board file promises what the firmware lacks: " + ", ".join(map(_long, broken)),
                next_step="enable it in the firmware, or take it out of the board's `features`",
            )
        if not lacking:
            return None
        return "; ".join(map(self._reason, lacking))

    def _has(self, name: str) -> bool:
        if not _is_config(name):
            return self.version.get(name, name in self.promised)
        return self.config.enabled(name.lstrip("!")) is not name.startswith("!")

    def _reason(self, name: str) -> str:
        if name.startswith("!"):
            return f"the firmware has CONFIG_{name[1:]}"
        if name in self.version:
            return f"this version of U-Boot has no {name}"
        return (
            f"the firmware lacks CONFIG_{name}" if _is_config(name) else f"the board lacks {name}"
        )


def _is_config(name: str) -> bool:
    return name.isupper()


def _long(name: str) -> str:
    return f"CONFIG_{name}" if _is_config(name) else name
