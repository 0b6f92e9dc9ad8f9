"""The boot menu: what it draws, and what is there when it has ended."""

import pytest
from menu_names import THREE, last

from ubtest.uefi.bootmenu import TITLE, define, ran
from ubtest.uefi.menu import CTRL_C, ENTER, entries

pytestmark = pytest.mark.needs("CMD_BOOTMENU")


# what is drawn


def test_title_entries_order_and_highlighted_line(three_entries, prompt, bootmenu):
    with bootmenu() as menu:
        page = menu.highlights("First")
        assert page.lines[1].strip() == TITLE
        assert entries(page) == (*THREE, last(page))
        assert page.highlighted_row == 3
        assert page.cursor is None
        menu.press(ENTER)
        assert menu.reply().status == 0
    assert ran(prompt.uboot) == [0]


def test_the_screen_is_clear_after_the_menu(three_entries, bootmenu):
    with bootmenu() as menu:
        menu.highlights("First")
        menu.press(CTRL_C)
        menu.reply()
        assert "First" not in menu.page.text
        assert menu.page.cursor is not None, "the cursor is shown again"


# return


@pytest.mark.slow
def test_the_menu_opens_again(three_entries, prompt, bootmenu):
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
