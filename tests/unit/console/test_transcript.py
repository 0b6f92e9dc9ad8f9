"""Transcripts: what they keep, and that they are safe to print."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.console.transcript import Transcript, printable, received_bytes
from ubtest.errors import CaseError

TRICKY = st.text("\\xrt0a\n\r\x1bé\x85\u2028 ", max_size=12).map(str.encode)


def lines(path):
    return [line.split("] ", 1)[1] for line in path.read_text().splitlines()]


def test_both_directions_and_notes_in_order(tmp_path):
    transcript = Transcript()
    with transcript.recording(tmp_path / "deep" / "console.log"):
        transcript.note("power on")
        transcript.received(b"=> ")
        transcript.sent(b"version\n")
        transcript.received(b"vers")
        transcript.received(b"ion\r\nU-Boot\r\n=> ")
    assert lines(tmp_path / "deep" / "console.log") == [
        "# power on",
        "< => \\",
        "> version",
        "< version",
        "< U-Boot",
        "< => \\",
    ]


def test_nothing_outside_of_a_recording_is_kept(tmp_path):
    transcript = Transcript()
    transcript.received(b"before\n")
    with transcript.recording(tmp_path / "log"):
        pass
    assert (tmp_path / "log").read_text() == ""


def test_a_recording_starts_with_an_empty_tail(tmp_path):
    transcript = Transcript()
    transcript.received(b"the test before\n")
    with transcript.recording(tmp_path / "log"):
        assert transcript.tail() == ""


def test_terminal_controls_are_escaped():
    assert printable(b"\x1b[2J\x07\x9b\xff\xe2\x80\xae\n") == "\\x1b[2J\\x07\\x9b\\xff\\u202e\n"


def test_text_stays_text():
    assert printable("Größe ✓\n".encode()) == "Größe ✓\n"


def test_the_tail_is_bounded():
    transcript = Transcript()
    transcript.received(b"x" * 10_000_000 + b"\nend\n")
    assert transcript.tail(1) == "end"
    assert len(transcript.tail(1000)) < 2 * Transcript.KEEP


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=12) | TRICKY)))
def test_what_the_board_sent_comes_back_from_the_log(tmp_path_factory, pieces):
    log = tmp_path_factory.mktemp("log") / "console.log"
    transcript = Transcript()
    with transcript.recording(log):
        for received, data in pieces:
            (transcript.received if received else transcript.sent)(data)
    sent = b"".join(data for received, data in pieces if received)
    assert one_line_end(received_bytes(log)) == one_line_end(sent)


def one_line_end(data):
    return re.sub(rb"\r*\n", b"\n", data)


def test_another_file_is_no_log(tmp_path):
    (tmp_path / "junit.xml").write_text("<xml>\n")
    with pytest.raises(CaseError, match="not a line of a transcript"):
        received_bytes(tmp_path / "junit.xml")
    with pytest.raises(CaseError, match="cannot read"):
        received_bytes(tmp_path / "missing.log")
