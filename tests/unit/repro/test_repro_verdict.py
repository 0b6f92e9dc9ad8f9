"""What a run says about a report, and the mail that answers it."""

from dataclasses import replace

import pytest

from ubtest.recipe.devices import Device
from ubtest.recipe.expectations import Absent, Crash, Output
from ubtest.recipe.outcome import Held, Outcome, StepOutcome, Verdict
from ubtest.recipe.schema import Medium, Recipe
from ubtest.recipe.steps import Press, Reset, Shell, UBoot
from ubtest.repro.reply import file_name, reply, summary
from ubtest.repro.report import concerns_of
from ubtest.repro.verdict import NOTHING_SAID, Trial, exit_code, judged, narrowed

FAILED = "`usb start`: it failed"


def outcome(seen=False, status=0, crash="", output="fine"):
    step = StepOutcome(UBoot("usb start", save="x"), output, status)
    return Outcome(
        (step,),
        (
            Held(Absent("it failed", in_="x"), not seen, FAILED),
            Held(Crash(False), not crash, crash),
        ),
        (Held(Output("it failed"), seen, FAILED),),
        crash,
    )


def test_a_symptom_is_told_once():
    assert judged(outcome(seen=True, status=1), drafted=True) == (
        Verdict.REPRODUCED,
        f"seen: {FAILED}",
    )


def test_all_well():
    verdict, why = judged(outcome(), drafted=True)
    assert verdict is Verdict.NOT_REPRODUCED
    assert why.endswith("none of the symptoms was seen")


def test_a_command_that_fails_here_proves_nothing():
    failed = outcome(status=1, output="x\nUnknown command 'usb' - try 'help'\n")
    verdict, why = judged(failed, drafted=True)
    assert verdict is Verdict.CANNOT_TELL
    assert "`usb start` returned 1 here: Unknown command 'usb'" in why
    # Who writes a recipe knows what may fail
    assert judged(failed)[0] is Verdict.NOT_REPRODUCED


def test_a_report_that_says_nothing_that_can_be_seen():
    verdict, why = judged(outcome(crash="Synchronous Abort"), conclusive=False)
    assert verdict is Verdict.CANNOT_TELL
    assert why.splitlines() == ["Synchronous Abort", NOTHING_SAID]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ((Verdict.NOT_REPRODUCED, Verdict.NOT_REPRODUCED), 0),
        ((Verdict.NOT_REPRODUCED, Verdict.REPRODUCED, Verdict.CANNOT_TELL), 1),
        ((Verdict.NOT_REPRODUCED, Verdict.CANNOT_TELL), 2),
        ((), 2),
    ],
)
def test_exit_codes(said, code):
    assert exit_code(said) == code


def trial(version, verdict, reason="why"):
    return Trial(version, f"U-Boot {version}", verdict, reason)


RECIPE = Recipe(
    title="usb: the second stick, [x] \x1b[2J",
    board=("qemu-arm64",),
    media={"disk": Medium(image="esp")},
    devices=(Device("usb-storage", "disk", properties={"port": "1"}),),
    steps=(UBoot("usb start"), Shell("dmesg")),
    expect=(Crash(False),),
)
TRIALS = (
    trial("2023.01", Verdict.REPRODUCED, "seen: \x1b]0;x\x07"),
    trial("2025.01", Verdict.NOT_REPRODUCED),
)


def test_the_reply_says_all_and_carries_the_recipe():
    text = reply(RECIPE, TRIALS, ["left out: rm -rf"])
    assert text.startswith("Reproduced on 2023.01; not reproduced on 2025.01.\n")
    for line in ("(plugged: usb-storage,port=1)", "=> usb start", "# dmesg", "- left out: rm -rf"):
        assert f"    {line}".strip() in text
    recipe = text.partition("--- 8< ---")[2]
    assert "driver: usb-storage" in recipe
    assert text.endswith("--- >8 ---\n")


def test_no_control_character_is_in_a_reply():
    text = reply(RECIPE, TRIALS, ["\x1b[31mred\x9b"])
    assert all(char == "\n" or char.isprintable() for char in text)


def test_a_mail_is_not_wider_than_mails_are():
    body = reply(RECIPE, [trial("2023.01", Verdict.REPRODUCED, "word " * 100)], ["word " * 100])
    assert max(map(len, body.partition("--- 8< ---")[0].splitlines())) <= 72


def test_only_symptoms_that_were_seen_are_kept():
    other = Output("it failed", in_="y")
    recipe = replace(RECIPE, symptom=(other, Output("it failed")))
    seen = replace(TRIALS[0], outcome=outcome(seen=True))
    unseen = replace(TRIALS[1], outcome=outcome())
    assert narrowed(recipe, [unseen, seen]).symptom == (Output("it failed"),)
    assert narrowed(recipe, [unseen]) == recipe


def test_a_file_name_is_a_plain_one():
    assert file_name(RECIPE) == "usb-the-second-stick-x-2j.recipe.yaml"


def test_nothing_tried_is_said():
    assert summary(()) == "Not tried."


def test_concerns_of_all_kinds_of_steps():
    steps = (UBoot("saveenv"), Shell("rm x"), Press(("\r",)), Reset({}), UBoot("version"))
    made = Recipe(title="x", steps=steps, expect=(Crash(False),))
    assert [each.command for each in concerns_of(made)] == [
        "saveenv",
        "reset",
        "rm x",
        "keys '\\r'",
    ]
