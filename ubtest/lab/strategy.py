"""The states of a board, as a table of edges; a failure never blocks the next test."""

import enum
from collections.abc import Callable

import attr
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step
from labgrid.strategy import Strategy

from ubtest.errors import CaseError
from ubtest.lab.uboot import UBootConsoleDriver


class State(enum.Enum):
    """Where a board can be."""

    unknown = "unknown"
    off = "off"
    uboot = "uboot"


@target_factory.reg_driver
@attr.s(eq=False)
class BoardStrategy(Strategy):
    """Brings a board to `off` or `uboot` from wherever it is.

    Anything that fails on the way leaves the state `unknown`, from where every way starts with
    power-off. Unlike labgrid's own strategies this one is never "broken": a broken strategy makes
    labgrid skip all later tests, and a skip would hide that they did not run.
    """

    bindings = {  # noqa: RUF012 (labgrid reads it from the class)
        "power": PowerProtocol,
        "console": ConsoleProtocol,
        "uboot": UBootConsoleDriver,
    }

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.status = State.unknown
        self._edges: dict[tuple[State, State], Callable[[], None]] = {
            (State.unknown, State.off): self._power_off,
            (State.uboot, State.off): self._power_off,
            (State.off, State.uboot): self._boot,
        }

    @step(args=["status"])
    def transition(self, status: State | str) -> None:
        """Go to a state, through `off` where there is no direct edge.

        :raises CaseError: there is no such state.
        """
        wanted = self._state(status)
        while self.status is not wanted:
            direct = (self.status, wanted) in self._edges
            target = wanted if direct else State.off
            edge = self._edges[self.status, target]
            self.status = State.unknown
            edge()
            self.status = target

    def force(self, status: State | str) -> None:
        """Believe that the board is in a state already (labgrid's ``--lg-initial-state``)."""
        wanted = self._state(status)
        for driver in (self.power, self.console, self.uboot)[: 3 if wanted is State.uboot else 1]:
            self.target.activate(driver)
        self.status = wanted

    def lost(self) -> None:
        """The board did something unasked: the next transition starts from power-off."""
        self.status = State.unknown

    def _state(self, status: State | str) -> State:
        if isinstance(status, State):
            return status
        names = [state.name for state in State if state is not State.unknown]
        if status not in names:
            raise CaseError(f"no state `{status}`: one of {', '.join(names)}")
        return State[status]

    def _power_off(self) -> None:
        self.target.deactivate(self.uboot)
        self.target.activate(self.power)
        self.power.off()
        self.uboot.transcript.note("power off")

    def _boot(self) -> None:
        self.target.activate(self.console)
        self.power.on()
        self.uboot.transcript.note("power on")
        self.target.activate(self.uboot)
