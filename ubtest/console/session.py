"""The dialogue with a U-Boot prompt: exact, binary-safe, against one deadline."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from ubtest.console.reply import Reply
from ubtest.console.screen import Screen
from ubtest.console.transcript import Transcript, printable
from ubtest.console.uboot_log import AUTOBOOT, CRASH, CRASH_END, RESET
from ubtest.deadline import Deadline
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError, LabError, UbtestError


class Wire(Protocol):
    """The byte seam: a serial port, a socket, or a replayed transcript in a unit test."""

    def read(self, timeout: float) -> bytes:
        """At least one byte, or none when nothing came within `timeout` seconds."""

    def write(self, data: bytes) -> None:
        """Send all bytes."""


END = re.compile(rb"END(?P<number>\d+)=(?P<status>\d+)\r?\n|" + RESET.pattern)

# Ctrl-U: an answer to a size query that came too late for U-Boot waits at the prompt as typed text
ERASE_LINE = b"\x15"
SIZE_QUERY = b"\x1b[6n"  # "where is the cursor": how U-Boot's EFI console learns the terminal size


class Session:
    """One conversation with a firmware console.

    :param prompt: the firmware's prompt (CONFIG_SYS_PROMPT).
    :param chunk: send at most so many bytes before their echo is back, the flow control that
        a bare serial line lacks; 0 sends a line at once.
    """

    def __init__(
        self,
        wire: Wire,
        transcript: Transcript,
        *,
        prompt: str = "=> ",
        chunk: int = 0,
        rows: int = 24,
        columns: int = 80,
    ) -> None:
        self._wire = wire
        self.transcript = transcript
        self._prompt = re.compile(re.escape(prompt.encode()))
        self._late = re.compile(self._prompt.pattern + rb"[\x1b\[\d;]*R$")
        self._torn = re.compile(self._prompt.pattern + rb"\x1b?\[?[A-D]")
        self._chunk = chunk
        self._size_answer = f"\x1b[{rows};{columns}R".encode()
        self._buffer = b""
        self._seen = 0  # bytes of the buffer that were already searched for a size query
        self._count = 0
        self._answered = False  # a size query, perhaps too late
        self._running = ""  # the command whose end did not come yet
        self._screen: Screen | None = None

    def command(self, line: str, *, timeout: float = 10, may_reset: bool = False) -> Reply:
        """Type one command and wait for exactly its answer.

        The command is followed by an ``echo`` of a marker whose typed form differs from its
        printed form, so neither the echo nor a stale prompt can be taken for the end.

        :param may_reset: the firmware may reset instead; then the reply's status is None, its
            output ends with the banner of the next boot, and :meth:`await_prompt` is due.
        :raises FirmwareCrash: it crashed, or reset without ``may_reset``.
        :raises FirmwareError: no answer within `timeout` seconds.
        :raises CaseError: the line is longer than the firmware takes.
        """
        deadline = Deadline(timeout)
        self._start(line, deadline)
        return self._finish(deadline, may_reset)

    def start(self, line: str, *, timeout: float = 10) -> None:
        """Type a command that wants keys, such as a menu; :meth:`finish` takes its answer."""
        self._start(line, Deadline(timeout))

    def finish(self, *, timeout: float = 10, may_reset: bool = False) -> Reply:
        """Wait for the answer of what :meth:`start` began; as :meth:`command`."""
        return self._finish(Deadline(timeout), may_reset)

    @contextmanager
    def displayed(self, screen: Screen) -> Iterator[None]:
        """Draw on `screen` what comes; it has the word when the firmware asks for the size."""
        self._screen = screen
        try:
            yield
        finally:
            self._screen = None

    def press(self, *pieces: bytes | float) -> None:
        """Send keys as they are, without an end of line.

        :param pieces: bytes that arrive together, and between them pauses in seconds: a slow
            serial line tears an escape sequence apart. What comes in a pause is read. A pause is
            what the firmware is given, never a wait for what it does.
        """
        for piece in pieces:
            if isinstance(piece, bytes):
                self._send(piece)
            else:
                self._fill(lambda: False, Deadline(piece))

    def until(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Read until a condition holds, of the screen for one.

        :returns: False at the deadline, or when the command ended without it.
        :raises FirmwareCrash: it crashed or reset.
        """
        enough = partial(self._ended_or, condition)
        self._fill(enough, deadline)
        return condition()

    def _ended_or(self, condition: Callable[[], bool]) -> bool:
        if CRASH.search(self._buffer):
            raise self._crashed(Deadline(2.0))
        return condition() or self.ended

    @property
    def ended(self) -> bool:
        """The command that was started has printed its end; :meth:`finish` will not wait."""
        return any(map(self._is_ours, END.finditer(self._buffer)))

    def answered_late(self) -> bool:
        """Whether the answer to a size query came when the firmware waited for it no longer: it
        was taken for keys, and their rest stands at the prompt."""
        return self._fill(lambda: self._late.search(self._buffer) is not None, Deadline(0.5))

    def tore_a_key(self) -> bool:
        """Whether the rest of an arrow key stands at the prompt: its ESC came alone."""
        return self._fill(lambda: self._torn.search(self._buffer) is not None, Deadline(0.5))

    def _is_ours(self, end: re.Match[bytes]) -> bool:
        return end["number"] in (None, str(self._count).encode())

    def _start(self, line: str, deadline: Deadline) -> None:
        if "\n" in line or "\r" in line:
            raise CaseError(f"a console command is one line: {line!r}")
        self._count += 1
        self._running = line
        self._buffer, self._seen = b"", 0
        self._type(f"{line}; {self._marker}", deadline)

    @property
    def _marker(self) -> str:
        return f"echo EN''D{self._count}=$?"

    def _finish(self, deadline: Deadline, may_reset: bool) -> Reply:
        line = self._running
        found = self._search(END, deadline, self._is_ours)
        if found is None:
            raise self._no_answer(line, deadline.seconds)
        _, _, output = self._buffer[: found.start()].partition(self._marker.encode())
        output = output.removeprefix(b"\r").removeprefix(b"\n")
        if found["status"] is None:
            if not may_reset:
                raise FirmwareCrash(
                    f"the firmware reset by itself during `{line}`", tail=self.transcript.tail()
                )
            return Reply(line, output, None)
        self._consume(found)
        if self._search(self._prompt, deadline) is None:
            raise self._no_answer(line, deadline.seconds)
        return Reply(line, output, int(found["status"]))

    def send_reset(self, line: str, *, timeout: float = 10) -> None:
        """Type a command that never returns, such as ``reset``."""
        self._buffer, self._seen = b"", 0
        self._type(line, Deadline(timeout))

    def await_prompt(self, *, timeout: float, interrupt: str = " ") -> bytes:
        """Stop the autoboot of a starting board and wait for its prompt.

        :returns: everything that the board printed on the way.
        :raises FirmwareCrash: it crashed on the way.
        :raises FirmwareError: it printed, but no prompt came within `timeout` seconds.
        :raises LabError: not one byte came.
        """
        deadline = Deadline(timeout)
        log = b""
        either = re.compile(AUTOBOOT.pattern + rb"|(" + self._prompt.pattern + rb")")
        while (found := self._search(either, deadline)) is not None:
            log += self._buffer[: found.end()]
            self._consume(found)
            if found[1] is not None:
                return log
            self._send(interrupt.encode())
        if not log + self._buffer:
            raise LabError(
                f"the console stayed silent for {timeout:g} s after power-on",
                next_step="check the firmware's console settings, the serial line and the power",
            )
        raise FirmwareError(
            f"U-Boot printed no prompt within {timeout:g} s", tail=self.transcript.tail()
        )

    def wait(self, pattern: bytes, *, timeout: float) -> re.Match[bytes]:
        """Wait for a regular expression and consume up to its end.

        :raises FirmwareError: it did not come within `timeout` seconds.
        """
        found = self._search(re.compile(pattern), Deadline(timeout))
        if found is None:
            raise FirmwareError(
                f"the console did not show {pattern!r} within {timeout:g} s",
                tail=self.transcript.tail(),
            )
        self._consume(found)
        return found

    def _type(self, line: str, deadline: Deadline) -> None:
        if self._answered:
            self._send(ERASE_LINE)
            self._answered = False
        data = line.encode()
        step = self._chunk or len(data)
        for start in range(0, len(data), step):
            self._send(data[start : start + step])
            echo = data[: start + step]
            if self._chunk and not self._fill(partial(self._holds, echo), deadline):
                raise LabError(
                    f"the console does not echo what is typed: {printable(echo[-40:])}",
                    next_step="check that nothing else holds the line and that its speed is right",
                    tail=self.transcript.tail(),
                )
        self._send(b"\n")

    def _holds(self, data: bytes) -> bool:
        return data in self._buffer

    def _send(self, data: bytes) -> None:
        self.transcript.sent(data)
        self._wire.write(data)

    def _consume(self, found: re.Match[bytes]) -> None:
        self._buffer = self._buffer[found.end() :]
        self._seen = max(0, self._seen - found.end())

    def _search(
        self,
        pattern: re.Pattern[bytes],
        deadline: Deadline,
        accept: Callable[[re.Match[bytes]], bool] = bool,
    ) -> re.Match[bytes] | None:
        """The first match in what came and comes; None at the deadline. A crash ends the wait."""
        found: list[re.Match[bytes]] = []

        def arrived() -> bool:
            found.extend(filter(accept, pattern.finditer(self._buffer)))
            if not found and CRASH.search(self._buffer):
                raise self._crashed(deadline)
            return bool(found)

        self._fill(arrived, deadline)
        return found[0] if found else None

    def _fill(self, enough: Callable[[], bool], deadline: Deadline) -> bool:
        """Read until `enough`; False when the deadline comes first."""
        while not enough():
            if deadline.expired:
                return False
            data = self._wire.read(deadline.left)
            if data:
                self.transcript.received(data)
                self._buffer += data
                answer = self._size_answers()
                if self._screen is not None:
                    answer = self._screen.feed(data)
                if answer:
                    self._send(answer)
                    self._answered = True
        return True

    def _size_answers(self) -> bytes:
        fresh = self._buffer[self._seen :]
        self._seen = len(self._buffer) - _split_suffix(fresh, SIZE_QUERY)
        return self._size_answer * fresh.count(SIZE_QUERY)

    def _crashed(self, deadline: Deadline) -> FirmwareCrash:
        """Let the register dump arrive, then say what happened."""
        crash = CRASH.search(self._buffer)
        assert crash is not None
        dump = Deadline(min(deadline.left, 2.0))
        self._fill(lambda: CRASH_END.search(self._buffer, crash.end()) is not None, dump)
        what = printable(crash[0]).strip('"')
        return FirmwareCrash(f"the firmware crashed: {what}", tail=self.transcript.tail(40))

    def _no_answer(self, line: str, timeout: float) -> UbtestError:
        if line.encode() not in self._buffer and b"\a" in self._buffer:
            return CaseError(
                f"the firmware takes no line as long as this one, of {len(line)} letters: `{line}`",
                next_step="build it with a larger CONFIG_SYS_CBSIZE, or let the test type less",
            )
        return FirmwareError(
            f"`{line}` did not return within {timeout:g} s", tail=self.transcript.tail()
        )


def _split_suffix(data: bytes, sequence: bytes) -> int:
    """How many last bytes of `data` could be the start of `sequence`."""
    return next((n for n in range(len(sequence) - 1, 0, -1) if data.endswith(sequence[:n])), 0)
