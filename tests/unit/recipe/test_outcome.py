"""From what was seen to a verdict; no board."""

from dataclasses import replace

import pytest

from ubtest.formats.guid import Guid
from ubtest.media.content import Content
from ubtest.recipe import Held, Outcome, StepOutcome, Verdict
from ubtest.recipe.expectations import (
    Absent,
    Count,
    CountIs,
    Crash,
    File,
    FileIs,
    Flash,
    FlashIs,
    Output,
    Status,
    StatusIs,
    Variable,
    VariableIs,
)
from ubtest.recipe.judge import FlashSeen, Seen, judge, outcome
from ubtest.recipe.steps import UBoot, Unplug

REPRODUCED, NOT, CANNOT = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("expected", "symptoms", "verdict"),
    [
        ([True], [], NOT),
        ([True, True], [], NOT),
        ([False], [], REPRODUCED),
        ([True, False], [], REPRODUCED),
        ([True], [False], NOT),
        ([True], [False, False], NOT),
        ([True], [True], REPRODUCED),
        ([True, True], [False, True], REPRODUCED),
        ([False], [True], REPRODUCED),
        ([False], [False], CANNOT),
        ([True, False], [False, False], CANNOT),
    ],
)
def test_the_verdict(expected, symptoms, verdict):
    held = {each: Held(Crash(False), each, f"it is {each}") for each in (True, False)}
    found = Outcome((), tuple(held[e] for e in expected), tuple(held[s] for s in symptoms))
    assert found.verdict is verdict
    assert found.reason
    assert ("none of the symptoms was seen" in found.reason) is (verdict is CANNOT)


LISTING = "size 12\n  a.txt\nsize 7\n  b.txt"
SEEN = Seen(
    steps=(
        StepOutcome(UBoot("ls", save="list"), LISTING, 0),
        StepOutcome(UBoot("false"), "no such thing", 1),
        StepOutcome(Unplug("x")),
    ),
    boot="U-Boot 2025.01",
    variables={VariableIs("Is"): b"\x01\x02"},
)


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        (Output("no such"), True),
        (Output("^such"), False),
        (Output("^  b.txt$", "list"), True),
        (Output("b.txt$", ""), False),
        (Output("2025", "boot"), True),
        (Absent("such"), False),
        (Absent("such", "list"), True),
        (Count(CountIs(r"^size \d+$", 2), "list"), True),
        (Count(CountIs("size", 1), "list"), False),
        (Count(CountIs("size", 0)), True),
        (Status(StatusIs(1)), True),
        (Status(StatusIs(0)), False),
        (Status(StatusIs(0, "list")), True),
        (Crash(False), True),
        (Crash(True), False),
    ],
    ids=str,
)
def test_outputs(expectation, holds):
    assert judge(expectation, SEEN).holds is holds


def test_named_groups_are_captured():
    assert judge(Output(r"size (?P<size>\d+)", "list"), SEEN).captures == {"size": "12"}


NEVER = [Output("x", "late"), Absent("x", "late"), Count(CountIs("x", 0), "late")]


@pytest.mark.parametrize("expectation", [*NEVER, Status(StatusIs(0, "late"))], ids=str)
def test_what_was_not_reached_does_not_hold(expectation):
    held = judge(expectation, SEEN)
    assert not held.holds
    assert "`late` was not reached" in held.why


DATA = {"Is": b"\x01\x02", "Not": None}


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (VariableIs("Is"), True),
        (replace(VariableIs("Is"), data="0102"), True),
        (replace(VariableIs("Is"), data="0103"), False),
        (replace(VariableIs("Is"), exists=False), False),
        (VariableIs("Not"), False),
        (replace(VariableIs("Not"), exists=False), True),
        (replace(VariableIs("Not"), data="0102"), False),
        (VariableIs("Unread"), False),
        (replace(VariableIs("Unread"), exists=False), False),
    ],
    ids=str,
)
def test_variables(wanted, holds):
    read = {} if wanted.name == "Unread" else {wanted: DATA[wanted.name]}
    assert judge(Variable(wanted), Seen(variables=read)).holds is holds


def test_two_variables_of_one_name_are_two():
    other = replace(VariableIs("Is"), guid=str(Guid.of("39b68c46-f7fb-441b-b6ec-16b0f69821f3")))
    assert not judge(Variable(other), SEEN).holds


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (FileIs("disk", "a.txt"), True),
        (replace(FileIs("disk", "a.txt"), text="abc"), True),
        (replace(FileIs("disk", "a.txt"), text="ab"), False),
        (replace(FileIs("disk", "a.txt"), text=""), False),
        (replace(FileIs("disk", "a.txt"), hex="616263"), True),
        (replace(FileIs("disk", "a.txt"), hex="6162"), False),
        (replace(FileIs("disk", "a.txt"), exists=False), False),
        (FileIs("disk", "b.txt"), False),
        (replace(FileIs("disk", "b.txt"), exists=False), True),
    ],
    ids=str,
)
def test_files(wanted, holds):
    data = b"abc" if wanted.path == "a.txt" else None
    assert judge(File(wanted), Seen(files={wanted: data})).holds is holds


REGION = slice(0x2000, 0x3000)
OLD = bytes(0x2000) + b"old " * 0x400 + bytes(0x1000)


def flash(*writes: tuple[int, bytes]) -> Seen:
    before = Content.of(OLD)
    after = before
    for offset, data in writes:
        after = after.written(offset, data)
    return Seen(flash=FlashSeen(before, after, REGION))


@pytest.mark.parametrize(
    ("writes", "wanted", "holds"),
    [
        ([], FlashIs(image="unchanged", outside="unchanged"), True),
        ([], FlashIs(image="changed"), False),
        ([], FlashIs(text="old old"), True),
        ([(0x2000, b"new")], FlashIs(image="changed", outside="unchanged", text="new"), True),
        ([(0x2000, b"new")], FlashIs(image="unchanged"), False),
        ([(0x2000, b"new")], FlashIs(text="newer"), False),
        ([(0x2001, b"new")], FlashIs(hex="6e6577"), False),
        ([(0x1FFF, b"x")], FlashIs(outside="unchanged"), False),
        ([(0x3000, b"x")], FlashIs(image="unchanged", outside="changed"), True),
        ([(0x2FFF, b"xx")], FlashIs(image="changed", outside="changed"), True),
    ],
    ids=str,
)
def test_the_flash(writes, wanted, holds):
    assert judge(Flash(wanted), flash(*writes)).holds is holds


def test_a_flash_that_nobody_can_read_is_no_proof():
    assert not judge(Flash(FlashIs(image="unchanged")), Seen()).holds


def test_no_crash_is_expected_without_being_said(recipe):
    crashed = Seen(crash="the firmware crashed")
    quiet = recipe(("crash: false", "output: x"))
    assert [type(held.expectation) for held in outcome(quiet, SEEN).expected] == [Output, Crash]
    assert outcome(quiet, crashed).failed[-1].expectation == Crash(False)
    wanted = recipe(("crash: false", "crash: true"))
    assert outcome(wanted, crashed).verdict is NOT
    assert outcome(wanted, SEEN).verdict is REPRODUCED


def test_a_crash_that_is_not_the_reported_one_cannot_tell(recipe):
    reported = recipe(more="symptom:\n  - output: bad news\n")
    assert outcome(reported, Seen(crash="it crashed")).verdict is CANNOT
