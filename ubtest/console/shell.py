"""The dialogue with a Linux shell: exact although the kernel prints in between."""

import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from ubtest.console.agent import agent, starting
from ubtest.console.answer import Answer
from ubtest.console.kernel_log import crash_in, end_of_dump
from ubtest.console.reply import Reply
from ubtest.console.session import ERASE_LINE, SIZE_QUERY, Wire
from ubtest.console.transcript import Transcript, printable
from ubtest.console.uboot_log import CRASH
from ubtest.deadline import Deadline
from ubtest.errors import (
    CaseError,
    DeafConsole,
    FirmwareCrash,
    FirmwareError,
    KernelCrash,
    LabError,
    UbtestError,
)

LONGEST = 3000  # characters of a command; a terminal takes 4095 in a line
FIRST_PING, LAST_PING = 0.2, 5.0  # seconds without news after which a status is asked for
# Seconds of silence after which Enter is pressed: before we typed anything, and after. A key that
# comes before Linux has opened its serial port is lost with some that follow.
UNTYPED, TYPED = 10.0, 1.0
DEAF = 15.0  # seconds of silence after which a prompt that was answered hears nothing
NONE = -1  # no tag of a ping
ATTEMPTS = 3  # whole answers with a wrong checksum

_BANNER = re.compile(rb"U-Boot 20\d\d\.\d\d")
_KERNEL = re.compile(rb"\[ *\d+\.\d+\]|EFI stub: Exiting boot services|Starting kernel")
_RETURNED = re.compile(rb"END\d+=(\d+)")  # the marker of ubtest.console.session
_TYPEABLE = set(string.printable) - set("\n\r\t\x0b\x0c")


@dataclass(frozen=True)
class Login:
    """What a getty wants to know."""

    user: str = ""
    password: str = ""


@dataclass(frozen=True)
class _Status:
    tag: int  # of the last ping
    number: int
    status: int
    checksum: str
    size: int
    packed: bool


class ShellSession:
    """One conversation with a shell on the console of a Linux system.

    The console is not ours alone: the kernel prints into the middle of any line. So the shell is
    made to run a small program (:mod:`ubtest.console.agent`) that keeps the output of a command
    and sends it as numbered lines. A line that came torn is asked for again; a checksum over all
    of it decides. The command runs once.

    :param prompt: what a shell's prompt ends with, a regular expression.
    """

    def __init__(
        self,
        wire: Wire,
        transcript: Transcript,
        *,
        prompt: str = r"[#$] ",
        login: Login = Login(),
    ) -> None:
        self._wire = wire
        self.transcript = transcript
        self._prompt = re.compile(rb"(?:%b)(?:\x1b\[[0-9;?]*[A-Za-z])*\Z" % prompt.encode())
        self._login = login
        self._key = secrets.token_hex(3)
        numbers = rb"(\d+) (\d+) (\d+) (\d+) ([gp])"
        self._status = re.compile(rb"<%b (%b)\|\1\|(\w+)>" % (self._key.encode(), numbers))
        self._numbers, self._tags = count(1), count(1)
        self._kernel_runs = False
        self._prompted = False
        self._rest = b""  # of a line whose end did not come yet

    # from power-on to the shell

    def await_shell(self, *, timeout: float) -> None:
        """Wait for a shell, log in where that is asked for, and start the dialogue.

        :raises KernelCrash: the kernel died on the way.
        :raises FirmwareError: it was never started, or no shell came within `timeout` seconds.
        :raises DeafConsole: a prompt came that hears nothing.
        :raises LabError: it asks for a login that is not known, or lacks a program.
        """
        deadline = Deadline(timeout)
        greeting: list[_Status] = []
        ready = b"READY" + self._key.encode()

        def look(line: bytes) -> None:
            if found := _RETURNED.search(line):
                raise self._not_started(int(found[1]))
            if b"Login incorrect" in line:
                raise LabError(
                    f"the board refuses the login of `{self._login.user}`",
                    next_step="correct `user` and `password` of LinuxShellDriver",
                    tail=self.transcript.tail(),
                )
            if line.endswith(ready):
                self._send(agent(self._key).encode() + b"\n")
            if said := self._status.search(line):
                greeting.append(self._read_status(said))

        patience, silence = UNTYPED, Deadline(DEAF)
        while not greeting:
            if deadline.expired:
                raise self._no_shell(timeout)
            quiet = self._read(look, min(deadline.left, patience))
            if not quiet:
                silence = Deadline(DEAF)
            elif self._prompted and silence.expired:
                raise self._deaf()
            if not greeting and self._answer_prompt(pressed=b"\n" if quiet else b""):
                patience = TYPED
        if greeting[0].status:
            raise self._unfit(greeting[0].status)

    def _answer_prompt(self, pressed: bytes) -> bool:
        """Answer what stands at the end of the console; else, press a key.

        :returns: whether anything was typed.
        """
        waiting, answer = self._rest, pressed
        if self._prompt.search(waiting):
            answer = ERASE_LINE + starting(self._key).encode() + b"\n"
            self._prompted = True
        elif waiting.rstrip().endswith(b"login:"):
            if not self._login.user:
                raise LabError(
                    "the board asks for a login",
                    next_step="set `user` and `password` of LinuxShellDriver in the board file",
                    tail=self.transcript.tail(),
                )
            answer = self._login.user.encode() + b"\n"
        elif waiting.rstrip().endswith(b"Password:"):
            answer = self._login.password.encode() + b"\n"
        if answer:
            self._rest = b""
            self._send(answer)
        return bool(answer)

    # commands

    def command(self, line: str, *, timeout: float = 30, feed: bytes = b"") -> Reply:
        """Run one command and give back exactly what it printed.

        It has a subshell of its own and nothing to read: neither its directory nor its variables
        stay.

        :param feed: lines that a command with ``<`` as its first character reads.
        :raises KernelCrash: the kernel died, or the board reset.
        :raises FirmwareError: no answer within `timeout` seconds.
        :raises LabError: the line spoils what goes over it.
        """
        if len(line) > LONGEST or not set(line) <= _TYPEABLE:
            raise CaseError(
                f"a command is one line of at most {LONGEST} printable characters: {line[:80]!r}",
                next_step="write it into a file of the target and run that",
            )
        deadline = Deadline(timeout)
        number = next(self._numbers)
        answer = Answer(number)
        request = f"{number} {len(line)} {line}\n".encode()
        status = self._ask(request + feed, number, answer, line, deadline)
        for _ in range(ATTEMPTS):
            while status.size and (spec := answer.missing()):
                again = f"+{number} {len(spec)} {spec}\n".encode()
                status = self._ask(again, number, answer, line, deadline)
            data = answer.output(status.checksum, packed=status.packed) if status.size else b""
            if data is not None:
                return Reply(line, data, status.status)
        raise LabError(
            f"the answer of `{line}` came with a wrong checksum {ATTEMPTS} times",
            next_step="look at the serial line: speed, flow control, who else writes there",
        )

    def _ask(
        self, request: bytes, number: int, answer: Answer, line: str, deadline: Deadline
    ) -> _Status:
        """Send a request until its status is there; asked again for it, the target says it."""
        found: list[_Status] = []

        def look(text: bytes) -> None:
            answer.feed(text)
            if said := self._status.search(text):
                found.append(self._read_status(said))

        ping, tag = FIRST_PING, NONE
        self._send(request)
        while True:
            if deadline.expired:
                raise FirmwareError(
                    f"`{line}` did not return within {deadline.seconds:g} s",
                    tail=self.transcript.tail(),
                )
            quiet = self._read(look, min(deadline.left, ping))
            if found and found[-1].number == number:
                return found[-1]
            if found and found[-1].tag == tag:  # it heard the ping, but not the request before it
                self._send(request)
                tag = NONE
            elif quiet:
                tag = next(self._tags)
                self._send(b"?%d\n" % tag)
                ping = min(2 * ping, LAST_PING)
            found.clear()

    # the line

    def _send(self, data: bytes) -> None:
        self.transcript.sent(data)
        self._wire.write(data)

    def _read(self, look: Callable[[bytes], None], timeout: float) -> bool:
        """Read once and look at each line whose end came; True when nothing came."""
        data = self._wire.read(timeout)
        if not data:
            return True
        self.transcript.received(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest.replace(SIZE_QUERY, b"")  # a shell that gets no answer goes on without
        for ended in lines:
            line = ended.rstrip(b"\r")
            self._watch(line)
            look(line)
        return False

    def _watch(self, line: bytes) -> None:
        """A kernel that dies ends every wait, and so does a firmware that dies before it.

        :raises KernelCrash: after its dump has come.
        :raises FirmwareCrash: likewise.
        """
        self._kernel_runs = self._kernel_runs or _KERNEL.match(line) is not None
        if what := crash_in(line):
            raise self._crashed(KernelCrash, f"the kernel crashed: {what}")
        if not self._kernel_runs and CRASH.search(line):
            raise self._crashed(FirmwareCrash, f"the firmware crashed: {printable(line)}")
        if _BANNER.match(line):
            raise KernelCrash("the board reset by itself", tail=self.transcript.tail(40))

    def _crashed(self, error: type[UbtestError], what: str) -> UbtestError:
        deadline = Deadline(2.0)
        while not deadline.expired:
            data = self._wire.read(min(deadline.left, 0.5))
            if not data:
                break
            self.transcript.received(data)
            if end_of_dump(data):
                break
        return error(what, tail=self.transcript.tail(60))

    def _read_status(self, said: re.Match[bytes]) -> _Status:
        _, tag, number, status, size, form, checksum = said.groups()
        return _Status(
            int(tag), int(number), int(status), checksum.decode(), int(size), form == b"g"
        )

    # what to say when it does not work

    def _not_started(self, status: int) -> FirmwareError:
        return FirmwareError(
            f"U-Boot's command came back with {status}: the kernel was not started",
            next_step="read what U-Boot says about the image and the boot option",
            tail=self.transcript.tail(),
        )

    def _no_shell(self, timeout: float) -> UbtestError:
        said = self.transcript.tail()
        if not said:
            return LabError(f"the console stayed silent for {timeout:g} s")
        return FirmwareError(
            f"no shell came within {timeout:g} s",
            next_step="look at what came last. Nothing after the EFI stub: console= of the command "
            "line, or earlycon to see more. Kernel messages: initrd and init=. Another prompt: "
            "`prompt` of LinuxShellDriver",
            tail=said,
        )

    def _deaf(self) -> DeafConsole:
        return DeafConsole(
            f"a shell's prompt came, and {DEAF:g} s of typing had no effect",
            next_step="power-cycle the board; if it stays so, look at the line to it",
            tail=self.transcript.tail(),
        )

    def _unfit(self, status: int) -> LabError:
        if status == 1:
            return LabError(
                "the target has no place to write",
                next_step="mount a tmpfs there at /run, /tmp or /dev/shm",
            )
        return LabError(
            "the target's shell lacks md5sum, base64, awk, sed, wc, mktemp or head",
            next_step="put a busybox with them into its root file system",
            tail=self.transcript.tail(5),
        )
