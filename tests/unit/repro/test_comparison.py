"""Transcript of a report beside that of a run: what is the same, and which difference matters."""

import re
import time

import pytest

from ubtest.repro.comparison import MOST_LINES, Mark, Spoken, compare, trouble
from ubtest.repro.normalisation import evidence, normalise

ADDING = (
    "Adding disk for usb_mass_storage.lun0 failed (err=-9223372036854775788/0x8000000000000014)"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[    1.234567] usb 1-1", "[   12.000001] usb 1-1"),
        ("DRAM:  256 MiB", "DRAM:  512 MiB"),
        (
            "U-Boot 2023.01-rc1-00123-gabcdef (Jan 01 2023 - 00:00:00 +0000)",
            "U-Boot 2025.01 (Jan 02 2025 - 01:00:00 +0000)",
        ),
        ("000000007eec5040 handle", "000000004e2f7040 handle"),
        ("1234 bytes read in 12 ms (100.1 KiB/s)", "99 bytes read in 1 ms (96.7 KiB/s)"),
        ("loaded at 0x40200000", "loaded at 0x4a000000"),
        ("a  b", "a b"),
    ],
)
def test_what_may_differ(one, other):
    assert normalise(one).text == normalise(other).text
    assert normalise(one).rules


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0 bytes read in 12 ms", "99 bytes read in 12 ms"),
        ("36122546-f7e7-4c8f-bd9b-eb8525b50c0b", "f7ef2546-f7e7-4c8f-bd9b-eb8525b50c0b"),
        ("error 0x8000000000000014", "error 0x800000000000001a"),
        ("MAC 52:54:00:12:34:56", "MAC 52:54:00:12:34:57"),
        ("/USB(0x3,0x0)", "/USB(0x1,0x0)"),
        ("Bus usb@1: 3 Storage Device(s) found", "Bus usb@1: 1 Storage Device(s) found"),
    ],
)
def test_what_must_not(one, other):
    assert normalise(one).text != normalise(other).text


@pytest.mark.parametrize(
    ("line", "there"),
    [
        (ADDING, ADDING),
        ("Environment failed at 0x7f001234 (x)", "Environment failed at 0x4e001234 (x)"),
        (
            "[   1.234567] probe of 0000:00:10.0 failed",
            "[  99.000001] probe of 0000:00:10.0 failed",
        ),
        ("U-Boot 2023.01 failed", "U-Boot SPL 2025.01-rc1 failed"),
        ("a.b*c [x] 12 ms", "a.b*c [x] 7 ms"),
    ],
)
def test_a_line_finds_itself_in_another_run(line, there):
    assert re.search(evidence(line), there)
    assert not re.search(evidence(line), there.replace("failed", "done").replace("b*c", "bbc"))


def test_trouble_is_told_from_talk():
    assert trouble(ADDING)
    assert trouble("### ERROR ### Please RESET the board ###")
    assert not trouble("scanning usb for storage devices... 2 Storage Device(s) found")


def one(report, run):
    (dialogue,) = compare([Spoken("usb start", report)], [Spoken("usb start", run)]).dialogues
    return [(row.mark, row.report, row.run) for row in dialogue.rows]


def test_the_second_stick():
    found = "scanning usb for storage devices... 2 Storage Device(s) found"
    assert one((found, ADDING), (found,)) == [
        (Mark.SAME, found, found),
        (Mark.MATTERS, ADDING, None),
    ]
    assert one((found, ADDING), (found, ADDING)) == [
        (Mark.SAME, found, found),
        (Mark.SAME, ADDING, ADDING),
    ]
    assert one((found,), (found, ADDING))[1] == (Mark.MATTERS, None, ADDING)


def test_trouble_within_a_longer_line_is_there():
    torn = f"scanning bus xhci_pci for devices... {ADDING}"
    found = "2 Storage Device(s) found"
    assert one((found, ADDING), (torn, found)) == [
        (Mark.SAME, found, found),
        (Mark.ELSEWHERE, ADDING, torn),
    ]
    other = torn.replace("0000014", "000001a")  # another EFI_STATUS is other trouble
    assert [mark for mark, _, _ in one((found, ADDING), (other, found))].count(Mark.MATTERS) == 2


def test_trouble_that_comes_at_another_command_is_there():
    made = compare(
        [Spoken("usb start", ()), Spoken("efidebug dh", (ADDING,))],
        [Spoken("usb start", (ADDING,)), Spoken("efidebug dh", ())],
    )
    assert [row.mark for row in made.dialogues[1].rows] == [Mark.ELSEWHERE]


def test_a_line_that_changed_shares_a_row():
    assert one(("Bus usb@1: 1 device found",), ("Bus usb@1: 4 device found",)) == [
        (Mark.CHANGED, "Bus usb@1: 1 device found", "Bus usb@1: 4 device found")
    ]
    assert one(("alpha",), ("omega",)) == [
        (Mark.ONE_SIDE, "alpha", None),
        (Mark.ONE_SIDE, None, "omega"),
    ]


def test_only_used_rules_are_told():
    made = compare([Spoken("x", ("read in 5 ms",))], [Spoken("x", ("read in 7 ms",))])
    assert [rule.split(":")[0] for rule in made.rules] == ["TIME"]
    assert made.matters == ()


def test_commands_are_found_in_order_and_a_missing_one_is_told():
    made = compare(
        [Spoken("usb  start", ()), Spoken("usb tree", ())],
        [Spoken("version", ()), Spoken("usb start", ())],
    )
    assert [each.was_run for each in made.dialogues] == [True, False]


def test_a_flood_is_bounded():
    many = tuple(f"line {number} x{'y' * 3000}" for number in range(5000))
    start = time.monotonic()
    (dialogue,) = compare([Spoken("x", many)], [Spoken("x", many[::-1])]).dialogues
    assert time.monotonic() - start < 5
    assert dialogue.left_out == 2 * (5000 - MOST_LINES)


@pytest.mark.parametrize("text", ["0" * 5000, "[" + " " * 5000, "a" * 5000 + "-", "1." * 2500])
def test_no_line_is_slow(text):
    start = time.monotonic()
    normalise(text)
    re.search(evidence(text), text)
    assert time.monotonic() - start < 0.2
