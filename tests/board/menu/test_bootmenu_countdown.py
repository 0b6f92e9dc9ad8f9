"""The countdown of the boot menu, and the entry that it runs."""

import time

import pytest

from ubtest.uefi.bootmenu import TITLE, ran
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, SPACE, countdown

pytestmark = pytest.mark.needs("CMD_BOOTMENU")


def counts(left):
    """For `expect`: so many seconds are left; None for no countdown."""
    return lambda page: countdown(page) == left, f"{left} seconds left"


def test_the_countdown_runs_the_first_entry(three_entries, prompt, bootmenu):
    with bootmenu(1) as menu:
        assert menu.expect(*counts(1)).highlighted == "First"
        menu.reply()
    assert ran(prompt.uboot) == [0]


@pytest.mark.slow
def test_a_key_stops_the_countdown(three_entries, prompt, bootmenu):
    with bootmenu(1) as menu:
        menu.expect(*counts(1))
        menu.press(SPACE)
        menu.expect(*counts(None))
        assert not menu.ends_within(1.5)
        menu.press(CTRL_C)
        menu.reply()
    assert ran(prompt.uboot) == []


def two_seconds(uboot):
    """How long they take on the board's own clock; an emulated one is the host's pace."""
    started = time.monotonic()
    uboot.check("sleep 2", timeout=60)
    return time.monotonic() - started


@pytest.mark.slow
def test_the_countdown_counts_seconds(three_entries, prompt, bootmenu):
    before = two_seconds(prompt.uboot)
    with bootmenu(3, timeout=20) as menu:  # a second of a busy machine is a long one
        times = []
        for left in (3, 2, 1):
            menu.expect(*counts(left))
            times.append(time.monotonic())
        menu.reply(timeout=20)
    assert ran(prompt.uboot) == [0]
    assert times[2] - times[0] >= 0.7 * min(before, two_seconds(prompt.uboot))


@pytest.mark.parametrize("key", [DOWN, ENTER, CTRL_C], ids=["down", "enter", "ctrl-c"])
def test_the_key_that_stops_the_countdown_counts(three_entries, prompt, bootmenu, key):
    with bootmenu(9) as menu:
        menu.highlights("First")
        menu.press(key)
        if key == DOWN:
            menu.highlights("Second")
            menu.press(ENTER)
        menu.reply(timeout=5)
    assert ran(prompt.uboot) == {DOWN: [1], ENTER: [0], CTRL_C: []}[key]


def test_delay_0_runs_the_first_entry_without_a_menu(three_entries, prompt, bootmenu):
    with bootmenu(0) as menu:
        menu.reply()
        assert TITLE not in menu.page.text
    assert ran(prompt.uboot) == [0]


@pytest.mark.slow
def test_the_environment_sets_the_delay(three_entries, prompt, bootmenu):
    prompt.uboot.check("setenv bootmenu_delay 7")
    with bootmenu(None) as menu:
        menu.expect(*counts(7))
        menu.press(CTRL_C)
        menu.reply()


def test_the_environment_sets_the_default(three_entries, prompt, bootmenu):
    prompt.uboot.check("setenv bootmenu_default 2")
    with bootmenu(1) as menu:
        menu.highlights("Third")
        menu.reply()
    assert ran(prompt.uboot) == [2]


@pytest.mark.slow
@pytest.mark.parametrize("default", ["4", "-1", "99"])
def test_a_default_that_is_no_entry_is_the_first(three_entries, prompt, bootmenu, default):
    prompt.uboot.check(f"setenv bootmenu_default {default}")
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [0]
