"""The states of a board, with drivers that only take notes."""

from types import SimpleNamespace
from typing import Any

import pytest
from labgrid.strategy import Strategy

from ubtest.errors import CaseError, KernelCrash
from ubtest.lab.strategy import BoardStrategy, State


class Notes(list[str]):
    """What was done to the board, in order."""

    def driver(self, name: str) -> Any:
        def note(verb: str) -> Any:
            return lambda *args: self.append(f"{name} {verb}")

        verbs = {verb: note(verb) for verb in ("on", "off")}
        return SimpleNamespace(name=name, transcript=SimpleNamespace(note=lambda _: None), **verbs)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def states(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> BoardStrategy:
    monkeypatch.setattr(Strategy, "__attrs_post_init__", lambda self: None)  # it wants drivers
    made = BoardStrategy.__new__(BoardStrategy)
    for name in ("power", "console", "uboot", "linux"):
        setattr(made, name, notes.driver(name))
    made.target = SimpleNamespace(
        activate=lambda driver: notes.append(f"{driver.name} active"),
        deactivate=lambda driver: None,
    )
    made.__attrs_post_init__()
    return made


def test_linux_from_anywhere_goes_through_the_prompt(states, notes) -> None:
    states.start_linux = lambda uboot: notes.append("hand over")
    states.transition("linux")
    assert notes == [
        "power active",
        "power off",
        "console active",
        "power on",
        "uboot active",
        "hand over",
        "linux active",
    ]
    assert states.status is State.linux
    assert states.linux.transcript is states.uboot.transcript


def test_from_linux_there_is_only_power_off(states, notes) -> None:
    states.start_linux = lambda uboot: None
    states.transition("linux")
    notes.clear()
    states.transition("uboot")
    assert notes[:2] == ["power active", "power off"]


def test_a_kernel_that_dies_leaves_the_state_unknown(states) -> None:
    def dying(uboot: object) -> None:
        raise KernelCrash("panic")

    states.start_linux = dying
    with pytest.raises(KernelCrash):
        states.transition("linux")
    assert states.status is State.unknown


def test_nobody_said_what_to_start(states) -> None:
    with pytest.raises(CaseError, match="does not know what to start"):
        states.transition("linux")


def test_a_board_without_linux_says_so(states) -> None:
    states.linux = None
    with pytest.raises(CaseError, match="no state `linux`: one of off, uboot"):
        states.transition("linux")
