"""The dialogue, against a wire that plays a U-Boot byte by byte."""

import re

import pytest

from ubtest.console.session import ERASE_LINE, Session
from ubtest.console.transcript import Transcript
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError, LabError

COUNTDOWN = b"Hit any key to stop autoboot:  2 "
BOOT = (
    b"\r\n\r\nU-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)\r\n\r\nDRAM:  256 MiB\r\n"
    b"Core:  51 devices\r\n" + COUNTDOWN
)
ABORT = (
    b'"Synchronous Abort" handler, esr 0x96000010, far 0xdead\r\nelr: 00000000 lr : 00000000\r\n'
    b"x0 : 0000 x1 : 0001\r\n\r\nResetting CPU ...\r\n\r\nresetting ...\r\n"
)


class Board:
    """Echoes what is typed and answers commands from a table; a byte seam, nothing more.

    :param answers: command -> bytes that it prints, or (bytes, status).
    :param pieces: how many bytes a read gives.
    """

    answers_in_time = True

    def __init__(self, answers=None, *, starts=b"", pieces=4096, prompt=b"=> "):
        self.answers = answers or {}
        self.out = starts
        self.pieces = pieces
        self.prompt = prompt
        self.typed = b""
        self.heard = b""
        self.counting_down = starts.endswith(COUNTDOWN)

    def read(self, timeout):
        data, self.out = self.out[: self.pieces], self.out[self.pieces :]
        return data

    def write(self, data):
        self.heard += data
        if data.startswith(b"\x1b"):
            self.typed += b"" if self.answers_in_time else data
            return
        if data == ERASE_LINE:
            self.typed = b""
            return
        if self.counting_down:
            self.counting_down = False
            self.out += b"\x08\x08\x08 0 \r\n" + self.prompt
            return
        self.typed += data
        self.out += data.replace(b"\n", b"\r\n")
        if data.endswith(b"\n"):
            line, self.typed = self.typed.strip(), b""
            self.run(line)

    def run(self, line):
        command, _, marker = line.partition(b"; echo EN''D")
        answer = self.answers.get(command.decode(), b"")
        output, status = answer if isinstance(answer, tuple) else (answer, 0)
        self.out += output
        self.counting_down = output.endswith(COUNTDOWN)
        if marker and status is not None:
            number = re.match(rb"\d+", marker)[0]
            self.out += b"END%s=%d\r\n" % (number, status) + self.prompt


def session(board, **options):
    return Session(board, Transcript(), **options)


@pytest.mark.parametrize("pieces", [1, 3, 4096])
def test_output_is_exactly_what_the_command_printed(pieces):
    printed = b"one\r\n=> not a prompt\r\n\xff\x00\x80 no text\r\n"
    reply = session(Board({"x": printed}, pieces=pieces)).command("x")
    assert (reply.output, reply.status) == (printed, 0)


def test_output_without_a_final_newline():
    assert session(Board({"x": b"no newline"})).command("x").output == b"no newline"


def test_the_status_is_the_commands():
    assert session(Board({"false": (b"", 1)})).command("false").status == 1


def test_a_marker_in_the_output_is_not_the_end():
    reply = session(Board({"x": b"END7=0\r\nEND1=\r\n"})).command("x")
    assert reply.text == "END7=0\nEND1="


def test_stale_output_does_not_shift_the_answers():
    board = Board({"a": b"A\r\n", "b": b"B\r\n"})
    dialogue = session(board)
    dialogue.command("a")
    board.out += b"late line\r\n=> => "
    assert dialogue.command("b").text == "B"


@pytest.mark.parametrize("pieces", [1, 2, 4096])
def test_the_terminal_size_is_answered_once(pieces):
    board = Board({"x": b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"}, pieces=pieces)
    session(board, rows=50, columns=132).command("x")
    assert board.heard.count(b"\x1b[50;132R") == 1


def test_the_query_for_the_terminal_size_is_not_part_of_the_answer():
    """As the sandbox sends it: the answer follows on the same line."""
    query = b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8"
    reply = session(Board({"printenv -e X": query + b"X:\r\n    RO\r\n"})).command("printenv -e X")
    assert reply.text == "X:\n    RO"
    assert reply.output.startswith(query)


def test_a_late_answer_does_not_spoil_the_next_command():
    board = Board({"x": b"\x1b[6n", "version": b"U-Boot\r\n"})
    board.answers_in_time = False
    dialogue = session(board)
    dialogue.command("x")
    assert dialogue.command("version").text == "U-Boot"


def test_a_paced_line_is_typed_in_chunks():
    board = Board({"version": b"U-Boot\r\n"}, pieces=1)
    assert session(board, chunk=4).command("version").text == "U-Boot"


def test_a_dead_line_is_the_labs_fault_when_pacing():
    class Deaf(Board):
        def write(self, data):
            pass

    with pytest.raises(LabError, match="does not echo"):
        session(Deaf(), chunk=4).command("version", timeout=0.05)


def test_a_command_that_hangs_is_the_firmwares_fault():
    with pytest.raises(FirmwareError, match="`x` did not return within"):
        session(Board({"x": (b"working...", None)})).command("x", timeout=0.05)


def test_a_line_that_the_firmware_does_not_take_is_the_tests_fault():
    """It rings the bell for each letter too many, and never sees the end of the line."""

    class Short(Board):
        def write(self, data):
            self.out += data[:20] + b"\a" * len(data[20:])

    with pytest.raises(CaseError, match="CONFIG_SYS_CBSIZE"):
        session(Short()).command("echo " + "a" * 30, timeout=0.05)


def test_a_command_is_one_line():
    with pytest.raises(CaseError):
        session(Board()).command("a\nb")


def test_a_crash_ends_the_wait_with_the_register_dump():
    with pytest.raises(FirmwareCrash, match="Synchronous Abort") as caught:
        session(Board({"x": (ABORT, None)}, pieces=7)).command("x", timeout=60)
    assert "x1 : 0001" in caught.value.tail


def test_a_reset_unasked_is_a_crash():
    with pytest.raises(FirmwareCrash, match="reset by itself"):
        session(Board({"x": (BOOT, None)})).command("x")


def test_a_reset_that_is_allowed_ends_the_command():
    board = Board({"update": (b"Reboot after firmware update.\r\n" + BOOT, None)})
    dialogue = session(board)
    reply = dialogue.command("update", may_reset=True)
    assert reply.reset
    assert b"Reboot after" in reply.output
    dialogue.await_prompt(timeout=1)


def test_the_version_command_is_not_a_reset():
    banner = b"\r\nU-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)\r\n\r\ngcc 12\r\n"
    assert session(Board({"version": banner})).command("version").status == 0


@pytest.mark.parametrize("pieces", [1, 4096])
def test_autoboot_is_stopped(pieces):
    board = Board(starts=BOOT, pieces=pieces)
    log = session(board).await_prompt(timeout=1)
    assert b"DRAM:  256 MiB" in log
    assert board.heard == b" "


def test_silence_after_power_on_is_the_labs_fault():
    with pytest.raises(LabError, match="silent"):
        session(Board()).await_prompt(timeout=0.05)


def test_output_without_a_prompt_is_the_firmwares_fault():
    with pytest.raises(FirmwareError, match="no prompt"):
        session(Board(starts=b"U-Boot SPL 2025.01\r\n")).await_prompt(timeout=0.05)


def test_a_crash_at_boot_ends_the_wait():
    with pytest.raises(FirmwareCrash):
        session(Board(starts=b"DRAM:  256 MiB\r\n" + ABORT)).await_prompt(timeout=60)
