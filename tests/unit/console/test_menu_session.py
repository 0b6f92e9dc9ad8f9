"""A command that wants keys: started, watched on a screen, finished."""

import time

import pytest

from ubtest.console.screen import Screen
from ubtest.console.session import Session
from ubtest.console.transcript import Transcript
from ubtest.deadline import Deadline
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError

QUERY = b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"


class Wire:
    """Gives what a test says, piece by piece; each key makes the next piece come."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.heard = []
        self.out = b""

    def read(self, timeout):
        data, self.out = self.out, b""
        if not data:
            time.sleep(min(timeout, 0.001))
        return data

    def write(self, data):
        self.heard.append(data)
        if data[:2] != b"\x1b[" and (data != b"\n") and self.pieces:
            self.out += self.pieces.pop(0)


def started(*pieces):
    wire = Wire(*pieces)
    session = Session(wire, Transcript())
    session.start("bootmenu")
    return session, wire


def holds(screen, text):
    return lambda: text in screen.page.text


def test_a_menu_from_the_start_to_its_end():
    session, wire = started(b"\x1b[2J\x1b[1;1Hmenu")
    screen = Screen()
    wire.pieces = [b"\x1b[2J\x1b[1;1HEND1=3\r\n=> "]
    with session.displayed(screen):
        assert session.until(holds(screen, "menu"), Deadline(5))
        assert not session.ended
        session.press(b"\r")
        assert session.finish().status == 3
    assert wire.heard == [b"bootmenu; echo EN''D1=$?", b"\n", b"\r"]


def test_the_screen_tells_its_own_size():
    session, wire = started(QUERY + b"menu")
    screen = Screen(10, 40)
    with session.displayed(screen):
        assert session.until(holds(screen, "menu"), Deadline(5))
    assert wire.heard[-1] == b"\x1b[10;40R"
    assert sum(piece.endswith(b"R") for piece in wire.heard) == 1


def test_a_wait_for_a_screen_ends_with_the_command():
    session, _ = started(b"menu\r\nEND1=0\r\n=> ")
    screen = Screen()
    with session.displayed(screen):
        assert not session.until(holds(screen, "other"), Deadline(60))
    assert session.ended


@pytest.mark.parametrize(
    ("rest", "late"), [(b";80R", True), (b"\x1b[24;80R", True), (b"", False), (b";80", False)]
)
def test_the_rest_of_a_late_answer_stands_at_the_prompt(rest, late):
    session, wire = started(QUERY + b"menu\r\nEND1=0\r\n=> ")
    screen = Screen()
    with session.displayed(screen):
        assert not session.until(holds(screen, "other"), Deadline(60))
        wire.out = rest
        assert session.answered_late() == late


@pytest.mark.parametrize(
    ("rest", "torn"),
    [(b"[B", True), (b"B\a\a", True), (b"", False), (b"\x1b", False), (b"[", False)],
)
def test_the_rest_of_a_torn_key_stands_at_the_prompt(rest, torn):
    session, wire = started(b"menu\r\nEND1=0\r\n=> ")
    with session.displayed(Screen()):
        assert not session.until(lambda: False, Deadline(60))
        wire.out = rest
        assert session.tore_a_key() == torn


def test_a_wait_for_a_screen_ends_with_a_crash():
    session, _ = started(b'"Synchronous Abort" handler, esr 0x96\r\nresetting ...\r\n')
    with pytest.raises(FirmwareCrash, match="Synchronous Abort"):
        session.until(lambda: False, Deadline(60))


def test_a_wait_for_a_screen_has_a_deadline():
    session, _ = started(b"menu")
    assert not session.until(lambda: False, Deadline(0.05))


def test_a_menu_that_does_not_return():
    session, _ = started(b"menu")
    with pytest.raises(FirmwareError, match="`bootmenu` did not return within"):
        session.finish(timeout=0.05)


def test_a_torn_key_comes_in_pieces_with_pauses():
    session, wire = started(b"")
    since = time.monotonic()
    session.press(b"\x1b", 0.02, b"[", 0.02, b"B")
    assert wire.heard[-3:] == [b"\x1b", b"[", b"B"]
    assert time.monotonic() - since >= 0.04


def test_what_comes_in_a_pause_is_drawn():
    session, wire = started()
    wire.pieces = [b"between"]
    screen = Screen()
    with session.displayed(screen):
        session.press(b"x", 0.02, b"\x1b[B")
    assert "between" in screen.page.text


def test_a_menu_is_one_line():
    session, _ = started()
    with pytest.raises(CaseError):
        session.start("a\nb")
