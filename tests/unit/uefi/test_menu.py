"""When a menu is drawn: cut anywhere, only the whole of it counts."""

import pytest

from ubtest.console.screen import Screen
from ubtest.uefi.menu import at_rest, countdown, entries

# As U-Boot 2025.01 sends them
BOOTMENU = (
    b"\x1b[?25l\x1b[2J\x1b[1;1H\x1b[1;1H\x1b[2K\x1b[2;3H*** U-Boot Boot Menu ***\x1b[0K"
    b"\x1b[3;1H\x1b[2K\x1b[8;1H\x1b[2K"
    b"\x1b[9;3HPress UP/DOWN to move, ENTER to select, ESC to quit\x1b[0K\x1b[10;1H\x1b[2K"
    b"\x1b[4;7H\x1b[7mErste\x1b[0m\x1b[5;7HZweite \xc3\xb6\x1b[6;7HExit"
)
COUNTDOWN = b"\x1b[8;3HHit any key to stop autoboot: 3 "
STOPPED = b"\x1b[8;1H\x1b[2K"
EFICONFIG = (
    b"\x1b[?25l\x1b[2J\x1b[1;1H\x1b[1;1H\r\n  ** UEFI Maintenance Menu **\r\n"
    b"\x1b[20;1H\x1b[2K\x1b[21;1H  Press UP/DOWN to move, ENTER to select, ESC to quit\x1b[0K"
    b"\x1b[4;7H\x1b[7m\x1b[2KAdd Boot Option\x1b[0m\x1b[5;7H\x1b[2KChange Boot Order"
    b"\x1b[6;7H\x1b[2KQuit"
)
QUESTION = (
    b"\x1b[2J\x1b[0;1H\r\n  ** Edit Description **\r\n\r\n  Enter description: "
    b"\x1b[8;1H  Press ENTER to complete, ESC to quit\x1b[4;22H\x1b[0K\x1b[?25h"
)
MESSAGE = b"\x1b[?25l\x1b[2J\x1b[3;4HFile is not selected!\n\n  Press any key to continue"


def shown(data, rows=24):
    screen = Screen(rows)
    screen.feed(data)
    return screen


def drawn(data, rows=24):
    screen = shown(data, rows)
    return at_rest(screen.page, screen.cursor)


@pytest.mark.parametrize(
    "data",
    [BOOTMENU, BOOTMENU + COUNTDOWN, BOOTMENU + COUNTDOWN + STOPPED, EFICONFIG, QUESTION, MESSAGE],
    ids=["bootmenu", "countdown", "stopped", "eficonfig", "question", "message"],
)
def test_a_whole_screen_is_drawn(data):
    assert drawn(data)


@pytest.mark.parametrize(
    "data", [BOOTMENU, EFICONFIG, MESSAGE], ids=["bootmenu", "eficonfig", "message"]
)
def test_no_part_of_a_first_screen_is_drawn(data):
    assert [cut for cut in range(len(data)) if drawn(data[:cut])] == []


def test_an_entry_called_exit_in_part_is_not_the_end():
    """`Exi` of `Exit` and the countdown's first words."""
    assert not drawn(BOOTMENU[:-1])
    assert not drawn(BOOTMENU + COUNTDOWN[:-4])
    assert not drawn(BOOTMENU + COUNTDOWN[:-1]), "a second digit may follow"


def test_a_redrawn_menu_counts_again_only_when_it_is_whole():
    """While a line is drawn over an old screen, the cursor is elsewhere."""
    again = BOOTMENU[BOOTMENU.index(b"\x1b[2;3H") :].replace(b"\x1b[7mErste\x1b[0m", b"Erste")
    rests = [cut for cut in range(1, len(again) + 1) if drawn(BOOTMENU + again[:cut])]
    old = [cut for cut in rests if shown(BOOTMENU + again[:cut]).page.highlighted == "Erste"]
    assert [cut for cut in rests if cut not in old] == [len(again)]


def test_more_entries_than_lines():
    """eficonfig shows what fits, and the last visible entry is drawn last."""
    rows = 12
    entries_ = b"".join(b"\x1b[%d;7H\x1b[2KOption %d" % (4 + n, n) for n in range(rows - 8))
    assert drawn(b"\x1b[2J\x1b[1;1H\r\n  ** Title **" + entries_, rows)
    assert not drawn(b"\x1b[2J\x1b[1;1H\r\n  ** Title **" + entries_[: -len(entries_) // 4], rows)


def test_what_is_on_the_screen():
    page = shown(BOOTMENU + COUNTDOWN).page
    assert entries(page) == ("Erste", "Zweite ö", "Exit")
    assert countdown(page) == 3
    assert countdown(shown(BOOTMENU).page) is None
    assert page.highlighted == "Erste"
