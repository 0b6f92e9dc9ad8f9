"""The states of a board, as a table of edges; a failure never blocks the next test."""

import enum
from collections.abc import Callable

import attr
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step
from labgrid.strategy import Strategy

from ubtest.errors import CaseError
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.uboot import UBootConsoleDriver


class State(enum.Enum):
    """Where a board can be."""

    unknown = "unknown"
    off = "off"
    uboot = "uboot"
    linux = "linux"


@target_factory.reg_driver
@attr.s(eq=False)
class BoardStrategy(Strategy):
    """Brings a board to `off`, `uboot` or `linux` from wherever it is.

    Anything that fails on the way leaves the state `unknown`, from where every way starts with
    power-off. Unlike labgrid's own strategies this one is never "broken": a broken strategy makes
    labgrid skip all later tests, and a skip would hide that they did not run.
    """

    bindings = {  # noqa: RUF012 (labgrid reads it from the class)
        "power": PowerProtocol,
        "console": ConsoleProtocol,
        "uboot": UBootConsoleDriver,
        "linux": {LinuxShellDriver, None},
    }

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.status = State.unknown
        self._edges: dict[tuple[State, State], Callable[[], None]] = {
            (State.unknown, State.off): self._power_off,
            (State.uboot, State.off): self._power_off,
            (State.off, State.uboot): self._boot,
            (State.uboot, State.linux): self._hand_over,
            (State.linux, State.off): self._power_off,
        }
        self.start_linux: Callable[[UBootConsoleDriver], None] | None = None

    @step(args=["status"])
    def transition(self, status: State | str) -> None:
        """Go to a state, through `off` where there is no direct edge.

        :raises CaseError: there is no such state on this board.
        """
        wanted = self._state(status)
        while self.status is not wanted:
            target = self._next(wanted)
            edge = self._edges[self.status, target]
            self.status = State.unknown
            edge()
            self.status = target

    def force(self, status: State | str) -> None:
        """Believe that the board is in a state already (labgrid's ``--lg-initial-state``)."""
        wanted = self._state(status)
        prompts = {State.uboot: self.uboot, State.linux: self.linux}
        drivers = [self.power, *([self.console, prompts[wanted]] if wanted in prompts else [])]
        for driver in drivers:
            self.target.activate(driver)
        self.status = wanted

    def lost(self) -> None:
        """The board did something unasked: the next transition starts from power-off."""
        self.status = State.unknown

    def _next(self, wanted: State) -> State:
        if (self.status, wanted) in self._edges:
            return wanted
        return State.uboot if self.status is State.off else State.off

    def _state(self, status: State | str) -> State:
        if isinstance(status, State):
            return status
        names = [state.name for state in State if state is not State.unknown]
        if self.linux is None:
            names.remove(State.linux.name)
        if status not in names:
            raise CaseError(f"no state `{status}`: one of {', '.join(names)}")
        return State[status]

    def _power_off(self) -> None:
        self.target.deactivate(self.uboot)
        if self.linux is not None:
            self.target.deactivate(self.linux)
        self.target.activate(self.power)
        self.power.off()
        self.uboot.transcript.note("power off")

    def _boot(self) -> None:
        self.target.activate(self.console)
        self.power.on()
        self.uboot.transcript.note("power on")
        self.target.activate(self.uboot)

    def _hand_over(self) -> None:
        if self.start_linux is None:
            raise CaseError(
                "the board does not know what to start",
                next_step="say it: board.linux(LinuxBoot(kernel))",
            )
        self.start_linux(self.uboot)
        self.linux.transcript = self.uboot.transcript
        self.target.deactivate(self.uboot)
        self.target.activate(self.linux)
