"""What a smaller recipe is compared with, on boards that are plain functions."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError, LabError
from ubtest.recipe.expectations import Absent, Crash, Output
from ubtest.recipe.outcome import Held, Outcome, StepOutcome
from ubtest.recipe.steps import UBoot
from ubtest.repro import reference
from ubtest.repro.evidence import proves, same
from ubtest.repro.reference import Reference
from ubtest.repro.verdict import Lacking

START, TREE = StepOutcome(UBoot("usb start")), StepOutcome(UBoot("usb tree"))
TWO, ONE = Output("2 Storage"), Output("1 Storage")


def outcome(*, two: bool, one: bool | None = None, crash: str = "", steps=(START,)) -> Outcome:
    expected = (Held(TWO, two, ""), Held(Crash(False), not crash, ""))
    symptoms = () if one is None else (Held(ONE, one, ""),)
    return Outcome(steps, expected, symptoms, crash)


GOOD, BAD = outcome(two=True, one=False), outcome(two=False, one=True)


@pytest.fixture
def boards(monkeypatch):
    """What each firmware shows of each recipe; both are words here."""
    shows = {}

    def run_on(recipe, board, firmware):
        shown = shows[recipe, firmware]
        if isinstance(shown, Exception):
            raise shown
        return shown

    monkeypatch.setattr(reference, "run_on", run_on)
    return shows


def test_each_firmware_shows_what_it_showed(boards):
    boards |= {("whole", "old"): GOOD, ("whole", "new"): BAD}
    made = Reference.of("whole", Path(), ["old", "new"])
    assert made.compared
    for name, old, new, holds in (
        ("same", GOOD, BAD, True),
        ("bug lost", GOOD, GOOD, False),
        ("fails everywhere", BAD, BAD, False),
        ("no answer", GOOD, LabError("no answer"), False),
        ("wrong", GOOD, CaseError("no such device"), False),
    ):
        boards |= {(name, "old"): old, (name, "new"): new}
        assert made.holds(name) is holds, name


def test_the_firmware_with_the_bug_is_asked_first(boards):
    boards |= {("whole", "old"): GOOD, ("whole", "new"): BAD, ("small", "new"): GOOD}
    assert not Reference.of("whole", Path(), ["old", "new"]).holds("small")


def test_one_firmware_alone_is_said_to_be(boards):
    boards["whole", "new"] = BAD
    assert not Reference.of("whole", Path(), ["new"]).compared


def test_without_the_bug_there_is_nothing_to_do(boards):
    boards["whole", "old"] = GOOD
    with pytest.raises(CaseError, match="not reproduced"):
        Reference.of("whole", Path(), ["old"])


def test_a_firmware_that_lacks_what_is_needed_says_nothing(boards):
    boards |= {("whole", "old"): Lacking("no USB"), ("whole", "new"): BAD}
    assert len(Reference.of("whole", Path(), ["old", "new"]).shown) == 1


def test_what_is_only_missing_needs_a_second_firmware(boards):
    """An expectation that fails: a recipe without `usb start` fails as well."""
    boards |= {("whole", "new"): outcome(two=False), ("whole", "old"): outcome(two=True)}
    with pytest.raises(CaseError, match="lacks a step"):
        Reference.of("whole", Path(), ["new"])
    assert Reference.of("whole", Path(), ["new", "old"]).compared


def test_evidence():
    crash = outcome(two=False, one=False, crash="abort", steps=(START, TREE))
    assert same(BAD, outcome(two=False, one=True, steps=(TREE,)))
    assert not same(BAD, GOOD)
    assert not same(BAD, outcome(two=True, one=True))
    assert not same(BAD, outcome(two=False, one=True, crash="abort"))
    assert same(crash, outcome(two=False, one=False, crash="abort at 0x7", steps=(TREE,)))
    assert not same(crash, outcome(two=False, one=False, crash="abort", steps=(START,)))


def test_proof():
    assert proves(BAD)
    assert proves(outcome(two=False, crash="abort"))
    assert proves(Outcome((), (Held(Absent("error"), False, "error"),)))
    assert not proves(outcome(two=False))
    assert not proves(Outcome((), (), (Held(Absent("2 Storage"), True, ""),)))
