"""The boot menu: what it draws, what its keys do, and which entry really runs."""

import time

import pytest

from ubtest.uefi.bootmenu import TITLE, define, marking, ran
from ubtest.uefi.menu import (
    CTRL_C,
    DOWN,
    ENTER,
    ESC,
    LAST_TITLES,
    MINUS,
    PLUS,
    SPACE,
    UP,
    countdown,
    entries,
)

pytestmark = pytest.mark.needs("CMD_BOOTMENU")

THREE = ("First", "Second", "Third")
TWENTY = tuple(f"Entry number {number}" for number in range(1, 21))
TAB = b"\t"


@pytest.fixture
def three(prompt, bootmenu):
    """Three entries in the environment, each of which leaves its mark when it runs."""
    define(prompt.uboot, *marking(THREE))


def last(page):
    """The entry behind all others, which leaves the menu; its name depends on the release."""
    assert entries(page)[-1] in LAST_TITLES
    return entries(page)[-1]


# what is drawn


def test_title_entries_order_and_highlighted_line(three, prompt, bootmenu):
    with bootmenu() as menu:
        page = menu.highlights("First")
        assert page.lines[1].strip() == TITLE
        assert entries(page) == (*THREE, last(page))
        assert page.highlighted_row == 3
        assert page.cursor is None
        menu.press(ENTER)
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == [0]


def test_the_screen_is_clear_after_the_menu(three, bootmenu):
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(CTRL_C)
        menu.reply()
        assert "First" not in menu.page.text
        assert menu.page.cursor is not None, "the cursor is shown again"


# keys


@pytest.mark.parametrize("number", range(3))
def test_enter_runs_the_highlighted_entry_only(three, prompt, bootmenu, number):
    with bootmenu() as menu:
        menu.highlights("First")
        for title in THREE[1 : number + 1]:
            menu.press(DOWN)
            menu.highlights(title)
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [number]


def test_up_and_down_stop_at_the_ends(three, prompt, bootmenu):
    with bootmenu() as menu:
        page = menu.highlights("First")
        menu.press(UP, DOWN)
        menu.highlights("Second")
        menu.move_to(last(page))
        menu.press(DOWN, UP)
        menu.highlights("Third")
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [2]


@pytest.mark.parametrize("key", [ESC, CTRL_C], ids=["escape", "ctrl-c"])
def test_a_key_leaves_without_running_anything(three, prompt, bootmenu, key):
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(DOWN)
        menu.highlights("Second")
        menu.press(key)
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == []


def test_the_last_entry_leaves_without_running_anything(three, prompt, bootmenu):
    with bootmenu() as menu:
        menu.choose(last(menu.highlights("First")))
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == []


@pytest.mark.parametrize("key", [PLUS, MINUS, SPACE, TAB], ids=["plus", "minus", "space", "tab"])
def test_other_keys_do_nothing(three, prompt, bootmenu, key):
    with bootmenu() as menu:
        before = menu.highlights("First")
        menu.press(key, DOWN)
        page = menu.highlights("Second")
        assert entries(page) == entries(before)
        menu.press(key, CTRL_C)
        menu.reply()
    assert ran(prompt.uboot) == []


# U-Boot looks for keys every 10 ms. A torn one must be taken wherever in these its ESC arrives: so
# it comes 0 to 9 ms after the menu was drawn. U-Boot promises to wait "5-10ms" for the rest
# (include/cli.h); one that does not look again loses half of the keys, and a busy machine some.
ESCAPE, REST, PAUSE = DOWN[:1], DOWN[1:], 0.005
MOMENTS = [number / 1000 for number in range(10)] * 3


@pytest.mark.slow
@pytest.mark.known_bug("split-escape")
def test_arrow_keys_torn_by_a_slow_line(prompt, bootmenu):
    if prompt.uboot.bytewise:
        pytest.skip("the board's line tears keys by itself: `bytewise` in its file")
    define(prompt.uboot, *marking(("Top", "Bottom")))
    lost = 0
    for moment in MOMENTS:
        with bootmenu() as menu:
            menu.highlights("Top")
            menu.press(moment, ESCAPE, PAUSE, REST)
            if menu.comes_to("Bottom"):
                menu.press(CTRL_C)
                menu.reply()
            else:
                menu.reply()
                menu.press(CTRL_C)  # the rest of the key stands at the prompt
                lost += 1
    assert lost <= len(MOMENTS) // 4


# countdown


def counts(left):
    """For `expect`: so many seconds are left; None for no countdown."""
    return lambda page: countdown(page) == left, f"{left} seconds left"


def test_the_countdown_runs_the_first_entry(three, prompt, bootmenu):
    with bootmenu(1) as menu:
        assert menu.expect(*counts(1)).highlighted == "First"
        menu.reply()
    assert ran(prompt.uboot) == [0]


@pytest.mark.slow
def test_a_key_stops_the_countdown(three, prompt, bootmenu):
    with bootmenu(1) as menu:
        menu.expect(*counts(1))
        menu.press(SPACE)
        menu.expect(*counts(None))
        assert not menu.ends_within(1.5)
        menu.press(CTRL_C)
        menu.reply()
    assert ran(prompt.uboot) == []


@pytest.mark.slow
def test_the_countdown_counts_seconds(three, prompt, bootmenu):
    with bootmenu(3, timeout=20) as menu:  # a second of a busy machine is a long one
        times = []
        for left in (3, 2, 1):
            menu.expect(*counts(left))
            times.append(time.monotonic())
        menu.reply(timeout=20)
    assert ran(prompt.uboot) == [0]
    started = time.monotonic()
    prompt.uboot.check("sleep 2", timeout=60)  # its own: an emulated clock may be fast or slow
    assert times[2] - times[0] >= 0.9 * (time.monotonic() - started)


@pytest.mark.parametrize("key", [DOWN, ENTER, CTRL_C], ids=["down", "enter", "ctrl-c"])
def test_the_key_that_stops_the_countdown_counts(three, prompt, bootmenu, key):
    with bootmenu(9) as menu:
        menu.highlights("First")
        menu.press(key)
        if key == DOWN:
            menu.highlights("Second")
            menu.press(ENTER)
        menu.reply(timeout=5)
    assert ran(prompt.uboot) == {DOWN: [1], ENTER: [0], CTRL_C: []}[key]


def test_delay_0_runs_the_first_entry_without_a_menu(three, prompt, bootmenu):
    with bootmenu(0) as menu:
        menu.reply()
        assert TITLE not in menu.page.text
    assert ran(prompt.uboot) == [0]


@pytest.mark.slow
def test_the_environment_sets_the_delay(three, prompt, bootmenu):
    prompt.uboot.check("setenv bootmenu_delay 7")
    with bootmenu(None) as menu:
        menu.expect(*counts(7))
        menu.press(CTRL_C)
        menu.reply()


def test_the_environment_sets_the_default(three, prompt, bootmenu):
    prompt.uboot.check("setenv bootmenu_default 2")
    with bootmenu(1) as menu:
        menu.highlights("Third")
        menu.reply()
    assert ran(prompt.uboot) == [2]


@pytest.mark.slow
@pytest.mark.parametrize("default", ["4", "-1", "99"])
def test_a_default_that_is_no_entry_is_the_first(three, prompt, bootmenu, default):
    prompt.uboot.check(f"setenv bootmenu_default {default}")
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [0]


# entries of the environment


@pytest.mark.slow
def test_without_entries_there_is_only_the_way_out(prompt, bootmenu):
    with bootmenu() as menu:
        page = menu.expect(lambda page: page.highlighted in LAST_TITLES, "the last entry alone")
        assert len(entries(page)) == 1
        menu.press(ENTER)
        assert menu.reply().status == 0


@pytest.mark.slow
def test_the_numbers_end_at_a_gap(prompt, bootmenu):
    define(prompt.uboot, *marking(THREE))
    prompt.uboot.check("setenv bootmenu_1")
    with bootmenu() as menu:
        assert entries(menu.highlights("First"))[:-1] == ("First",)
        menu.press(CTRL_C)
        menu.reply()


@pytest.mark.slow
def test_an_entry_without_an_equals_sign_ends_the_list(prompt, bootmenu):
    define(prompt.uboot, *marking(THREE))
    prompt.uboot.check("setenv bootmenu_1 'no command'")
    with bootmenu() as menu:
        assert entries(menu.highlights("First"))[:-1] == ("First",)
        menu.press(CTRL_C)
        assert "Invalid bootmenu entry: no command" in menu.reply().text


@pytest.mark.slow
def test_the_first_equals_sign_ends_the_title(prompt, bootmenu):
    define(prompt.uboot, ("Title", "setenv ran 0,; setenv bootmenu_x a=b"))
    with bootmenu() as menu:
        menu.choose("Title")
        menu.reply()
    assert ran(prompt.uboot) == [0]
    assert prompt.uboot.check("echo $bootmenu_x") == "a=b"


@pytest.mark.slow
def test_commands_see_the_environment_of_their_time(prompt, bootmenu):
    define(prompt.uboot, ("Title", "setenv ran ${bootmenu_x},"))
    prompt.uboot.check("setenv bootmenu_x 7")
    with bootmenu() as menu:
        menu.choose("Title")
        menu.reply()
    assert ran(prompt.uboot) == [7]


@pytest.mark.slow
def test_twenty_entries(prompt, bootmenu):
    define(prompt.uboot, *marking(TWENTY))
    with bootmenu() as menu:
        page = menu.highlights(TWENTY[0])
        assert entries(page)[:-1] == TWENTY
        menu.choose(TWENTY[-1])
        menu.reply()
    assert ran(prompt.uboot) == [19]


@pytest.mark.slow
def test_a_long_title(prompt, bootmenu):
    long = "x" * 70 + "END"
    define(prompt.uboot, *marking(("Short", long, "Behind")))
    with bootmenu() as menu:
        assert entries(menu.highlights("Short"))[1] == long
        menu.choose(long)
        menu.reply()
    assert ran(prompt.uboot) == [1]


@pytest.mark.slow
def test_a_title_longer_than_the_line_can_be_chosen(prompt, bootmenu):
    define(prompt.uboot, *marking(("Short", "y" * 100, "Behind")))
    with bootmenu() as menu:
        menu.highlights("Short")
        menu.press(DOWN)
        menu.expect(lambda page: (page.highlighted or "").startswith("y" * 70), "the long title")
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [1]


def test_titles_in_any_script(prompt, bootmenu):
    titles = ("Größe ✓", "Система", "起動 メニュー", "שלום")
    define(prompt.uboot, *marking(titles))
    with bootmenu() as menu:
        page = menu.highlights(titles[0])
        assert entries(page)[:-1] == titles
        menu.choose(titles[2])
        menu.reply()
    assert ran(prompt.uboot) == [2]


# return


@pytest.mark.slow
def test_the_menu_opens_again(three, prompt, bootmenu):
    for expected in ([0], [0, 1]):
        with bootmenu() as menu:
            menu.choose(THREE[len(expected) - 1])
            menu.reply()
        assert ran(prompt.uboot) == expected


@pytest.mark.slow
def test_what_the_entry_prints_comes_after_the_menu(prompt, bootmenu):
    define(prompt.uboot, ("Title", "echo printed; setenv ran 0,"))
    with bootmenu() as menu:
        menu.choose("Title")
        assert menu.reply().output.endswith(b"printed\r\n")
        assert menu.page.lines[0] == "printed"
    assert ran(prompt.uboot) == [0]


@pytest.mark.slow
def test_an_entry_that_fails_leads_back_to_the_prompt(prompt, bootmenu):
    define(prompt.uboot, ("Title", "setenv ran 0,; false"))
    with bootmenu() as menu:
        menu.choose("Title")
        menu.reply()
    assert ran(prompt.uboot) == [0]
