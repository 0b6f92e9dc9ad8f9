"""Menus on small terminals: the firmware asks for the size, and draws what fits."""

from functools import partial

import pytest
from menu_names import THREE

from ubtest.uefi.bootmenu import define, marking, ran
from ubtest.uefi.eficonfig import MAIN, TASKS
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, LAST_TITLES, OTHER_ROWS, SPACE, entries

pytestmark = pytest.mark.slow
needs_bootmenu = pytest.mark.needs("CMD_BOOTMENU")
needs_eficonfig = pytest.mark.needs("CMD_EFICONFIG")


@needs_bootmenu
@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        pytest.param(24, 40, id="24x40"),
        pytest.param(12, 60, id="12x60"),
        pytest.param(10, 40, id="10x40", marks=pytest.mark.known_bug("help-line-scrolls")),
    ],
)
def test_bootmenu(board, bootmenu, rows, columns):
    define(board.boot(), *marking(THREE))
    with bootmenu(rows=rows, columns=columns) as menu:
        menu.highlights("First")
        menu.press(DOWN)
        page = menu.highlights("Second")
        assert entries(page)[:3] == THREE
        assert entries(page)[3] in LAST_TITLES
        menu.press(ENTER)
        menu.reply()
    assert ran(board.uboot) == [1]


@needs_eficonfig
@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        pytest.param(24, 40, id="24x40"),
        pytest.param(12, 60, id="12x60"),
        pytest.param(10, 40, id="10x40", marks=pytest.mark.known_bug("eficonfig-ignores-size")),
    ],
)
def test_eficonfig_scrolls(board, eficonfig, rows, columns):
    board.boot()
    titles = (*TASKS, "Quit")
    with eficonfig(board, rows=rows, columns=columns) as menu:
        menu.highlights(titles[0])
        for title in titles[1:]:
            menu.press(DOWN)
            menu.expect(partial(scrolled_to, title, titles), f"`{title}` among whole entries")
        menu.press(ENTER)
        assert menu.reply().status == 0


def scrolled_to(title, titles, page):
    shown = entries(page)
    return page.highlighted == title and title in shown and set(shown) <= set(titles)


@needs_eficonfig
@pytest.mark.known_bug("eficonfig-ignores-size")
def test_eficonfig_says_that_the_terminal_is_too_small(board, eficonfig):
    board.boot()
    with eficonfig(board, rows=OTHER_ROWS) as menu:
        menu.shows("Console size is too small!")
        menu.press(SPACE)
        assert menu.reply().status != 0
        assert MAIN not in menu.page.text


@needs_bootmenu
def test_the_size_is_asked_for_once(board, bootmenu):
    define(board.boot(), *marking(THREE))
    for _ in range(2):
        with bootmenu(rows=30, columns=100) as menu:
            menu.highlights("First")
            menu.press(CTRL_C)
            reply = menu.reply()
    assert b"\x1b[6n" not in reply.output
