"""The bisection with builds and boards that are plain functions."""

import re
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError, LabError
from ubtest.firmware.source import Source
from ubtest.recipe.expectations import Crash, Output
from ubtest.recipe.outcome import Held, Outcome, StepOutcome
from ubtest.recipe.steps import UBoot
from ubtest.repro.bisect import Answer, Commit
from ubtest.repro.bisection import Bisection
from ubtest.repro.history import History, Revision

START, INFO = UBoot("usb start"), UBoot("usb info")
TWO, ONE = Output("2 Storage"), Output("1 Storage")


def outcome(two: bool, one: bool, crashed_in: UBoot | None = None) -> Outcome:
    return Outcome(
        (StepOutcome(crashed_in or INFO),),
        (
            Held(TWO, two, "two"),
            Held(Crash(False), crashed_in is None, "crash"),
        ),
        (Held(ONE, one, "one"),),
        "it crashed" if crashed_in else "",
    )


GOOD, BAD, NEITHER = outcome(True, False), outcome(False, True), outcome(False, False)
OTHER = outcome(False, True, START)  # a symptom was seen, but it crashed, too


def bisection(shows, **options) -> Bisection:
    """Over commits 0 (the old end) to the last; what each shows is an outcome or an error."""
    revisions = [
        Revision(Commit(str(at), (str(at - 1),)), "A U Thor", "2025-02-03", f"change {at}")
        for at in range(len(shows))
    ]

    def build(source, on_progress):
        shown = shows[int(source.revision)]
        if isinstance(shown, CaseError | HostError):
            raise shown
        return shown

    def attempt(firmware):
        if isinstance(firmware, LabError):
            raise firmware
        return firmware

    return Bisection(
        History(Path(), revisions[0], tuple(revisions[1:])),
        lambda name: Source(Path(), "2025.01", name, f"git:{name}", 0),
        build,
        attempt,
        **options,
    )


def found(shows, **options) -> list[str]:
    return [each.commit.name for each in bisection(shows, **options).run()]


def test_the_first_bad():
    assert found([GOOD, GOOD, GOOD, BAD, BAD, BAD]) == ["3"]


def test_the_first_fixed():
    assert found([BAD, BAD, BAD, GOOD, GOOD, GOOD], mended=True) == ["3"]


@pytest.mark.parametrize(
    "shown",
    [CaseError("does not build"), LabError("no answer"), NEITHER, OTHER],
    ids=["does not build", "lab", "cannot tell", "another bug"],
)
@pytest.mark.parametrize("mended", [False, True])
def test_what_nobody_can_tell_is_skipped(shown, mended):
    shows = [GOOD, GOOD, shown, BAD, BAD, BAD]
    work = bisection(shows[::-1] if mended else shows, mended=mended)
    assert [each.commit.name for each in work.run()] == (["3", "4"] if mended else ["2", "3"])
    (skipped,) = [step for step in work.steps if step.answer is Answer.SKIP]
    assert skipped.revision.commit.name == ("3" if mended else "2")
    assert skipped.why


def test_the_hosts_fault_ends_it():
    with pytest.raises(HostError, match="disk"):
        found([GOOD, GOOD, HostError("disk full"), GOOD, BAD])


@pytest.mark.parametrize(
    ("shows", "mended", "why"),
    [
        ([BAD, BAD, BAD], False, "the old end of the range must not show the bug"),
        ([GOOD, GOOD, GOOD], False, "the new end of the range must show the bug"),
        ([BAD, BAD, GOOD], False, "the new end of the range must show the bug"),
        ([GOOD, BAD, BAD], True, "the old end of the range must show the bug"),
        ([BAD, BAD, BAD], True, "the new end of the range must not show the bug"),
        ([CaseError("does not build"), BAD], False, "the old end .* does not build"),
        ([GOOD, CaseError("does not build")], False, "the new end .* does not build"),
        ([GOOD, NEITHER], False, "cannot tell"),
        ([OTHER, BAD], False, "the old end .* not as at the end"),
    ],
)
def test_ends_that_do_not_show_it(shows, mended, why):
    with pytest.raises(CaseError, match=re.compile(why, re.DOTALL)):
        found(shows, mended=mended)


def test_a_range_the_wrong_way_round_names_the_option():
    with pytest.raises(CaseError) as error:
        found([BAD, BAD, GOOD])
    assert "--first-fixed" in error.value.next_step


def test_every_step_is_told_with_time_to_go():
    told, stages = [], []
    work = bisection(
        [GOOD] * 5 + [BAD] * 4,
        on_step=told.append,
        on_progress=lambda now: stages.append(now.stage),
    )
    work.run()
    assert told == work.steps
    assert [step.revision.commit.name for step in told] == ["8", "0", "4", "6", "5"]
    assert stages[0].startswith("8 commits left, steps to go: 3: 8 change 8")
    assert re.match(r"2 commits left, steps to go: 1 of \d+ s, about \d+ min: 5 ", stages[-2])
