"""The terminal: what U-Boot's menus draw, byte by byte, and what it answers."""

import pytest

from ubtest.console.screen import Page, Screen
from ubtest.console.transcript import Transcript

# As U-Boot 2025.01 sends it
QUERY = b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"
DRAWN = (
    b"\x1b[?25l\x1b[2J\x1b[1;1H\x1b[2;3H*** U-Boot Boot Menu ***\x1b[0K\x1b[8;1H\x1b[2K"
    b"\x1b[4;7H\x1b[7mErste\x1b[0m\x1b[5;7HZweite \xc3\xb6\x1b[6;7HExit"
)
TEXT = "\n  *** U-Boot Boot Menu ***\n\n      │Erste│\n      Zweite ö\n      Exit"


def screen(*data, rows=24, columns=80):
    shown = Screen(rows, columns)
    for piece in data:
        shown.feed(piece)
    return shown


@pytest.mark.parametrize("size", [1, 2, 3, 4096])
def test_a_menu_in_pieces(size):
    page = screen(*(DRAWN[i : i + size] for i in range(0, len(DRAWN), size))).page
    assert page.text == TEXT
    assert (page.highlighted, page.highlighted_row) == ("Erste", 3)


def test_the_cursor_is_where_drawing_ended():
    shown = screen(DRAWN)
    assert shown.cursor == (5, 10)
    assert shown.page.cursor is None, "the menu hid it"
    assert screen(DRAWN, b"\x1b[?25h").page.cursor == (5, 10)


@pytest.mark.parametrize("size", [1, 5, 4096])
@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (10, 40), (50, 132)])
def test_the_size_query_is_answered_with_the_size(rows, columns, size):
    shown = Screen(rows, columns)
    pieces = [QUERY[i : i + size] for i in range(0, len(QUERY), size)]
    assert b"".join(map(shown.feed, pieces)) == b"\x1b[%d;%dR" % (rows, columns)
    assert shown.cursor == (0, 0), "the query leaves the cursor where it was"


def test_without_a_query_there_is_no_answer():
    assert Screen().feed(DRAWN) == b""


@pytest.mark.parametrize("size", [1, 2, 4096])
@pytest.mark.parametrize(
    "string", [b"\x1bPq#1;2\x1b\\", b"\x1b_apc\x1b\\", b"\x1b^pm\x9c", b"\x1bXs\x9c"]
)
def test_control_strings_do_not_leak(string, size):
    data = b"one" + string + b" two"
    shown = screen(*(data[i : i + size] for i in range(0, len(data), size)))
    assert shown.page.lines[0] == "one two"


def test_a_string_without_an_end_does_not_swallow_the_rest():
    assert "end" in screen(b"\x1bP" + b"x" * 5000 + b"\r\nend\r\n").page.text


def test_a_line_feed_starts_a_line():
    assert screen(b"one\ntwo\r\nthree").page.lines[:3] == ("one", "two", "three")


def test_bytes_that_are_no_utf_8_do_not_stop_the_screen():
    assert screen(b"a\xff\xfeb").page.lines[0] == "a\ufffd\ufffdb"


def test_wide_characters_take_two_cells():
    shown = screen("\x1b[7m漢字\x1b[0m x".encode())
    assert shown.page.highlighted == "漢字"
    assert shown.page.lines[0] == "漢字 x"
    assert shown.cursor == (0, 6)


def test_erased_cells_are_not_highlighted():
    """eficonfig erases the line in reverse video; xterm and Linux leave the ground as it is."""
    assert screen(b"\x1b[4;7H\x1b[7m\x1b[2KQuit\x1b[0m").page.text == "\n\n\n      │Quit│"


def test_a_screen_from_a_saved_log(tmp_path):
    transcript = Transcript()
    with transcript.recording(tmp_path / "console.log"):
        for i, piece in enumerate([QUERY, DRAWN[:40], DRAWN[40:]]):
            transcript.received(piece)
            transcript.sent(b"key %d" % i)
    assert Screen.replay(tmp_path / "console.log").page == screen(QUERY, DRAWN).page


def test_a_page_of_text_is_the_page_again():
    page = Page.of(TEXT)
    assert page.text == TEXT
    assert page.highlighted == "Erste"
    assert Page.of("").text == ""
