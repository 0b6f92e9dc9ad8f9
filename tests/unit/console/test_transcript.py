"""Transcripts: what they keep, and that they are safe to print."""

from ubtest.console.transcript import Transcript, printable


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
        "< => ",
        "> version",
        "< version",
        "< U-Boot",
        "< => ",
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
