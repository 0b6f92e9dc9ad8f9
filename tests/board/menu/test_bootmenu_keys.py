"""The keys of the boot menu: which entry is highlighted, and which one really runs."""

import pytest
from menu_names import THREE, last

from ubtest.uefi.bootmenu import define, marking, ran
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, ESC, MINUS, PLUS, SPACE, UP, entries

pytestmark = pytest.mark.needs("CMD_BOOTMENU")

TAB = b"\t"


@pytest.mark.parametrize("number", range(3))
def test_enter_runs_the_highlighted_entry_only(three_entries, prompt, bootmenu, number):
    with bootmenu() as menu:
        menu.highlights("First")
        for title in THREE[1 : number + 1]:
            menu.press(DOWN)
            menu.highlights(title)
        menu.press(ENTER)
        menu.reply()
    assert ran(prompt.uboot) == [number]


def test_up_and_down_stop_at_the_ends(three_entries, prompt, bootmenu):
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
def test_a_key_leaves_without_running_anything(three_entries, prompt, bootmenu, key):
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(DOWN)
        menu.highlights("Second")
        menu.press(key)
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == []


def test_the_last_entry_leaves_without_running_anything(three_entries, prompt, bootmenu):
    with bootmenu() as menu:
        menu.choose(last(menu.highlights("First")))
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == []


@pytest.mark.parametrize("key", [PLUS, MINUS, SPACE, TAB], ids=["plus", "minus", "space", "tab"])
def test_other_keys_do_nothing(three_entries, prompt, bootmenu, key):
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
