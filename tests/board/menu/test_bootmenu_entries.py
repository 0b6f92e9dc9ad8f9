"""The boot menu's entries of the environment: which are shown, and what choosing one runs."""

import pytest
from menu_names import THREE

from ubtest.uefi.bootmenu import define, marking, ran
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, LAST_TITLES, entries

pytestmark = pytest.mark.needs("CMD_BOOTMENU")

TWENTY = tuple(f"Entry number {number}" for number in range(1, 21))


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
