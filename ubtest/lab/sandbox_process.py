"""One running sandbox: U-Boot as a process, its console, and what its death means."""

import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pexpect

from ubtest.console.transcript import printable
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError, HostError, LabError, UbtestError
from ubtest.run import end, start

# What a program does to itself; every other signal comes from outside
_CRASHES = {
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGSEGV,
    signal.SIGSYS,
    signal.SIGTRAP,
}
# U-Boot: arch/sandbox/lib/interrupts.c, after which it exits with 0; and a build with CONFIG_ASAN
_CRASH = re.compile(
    rb"(Illegal instruction|Bus error|Segmentation violation)\r?\npc = "
    rb"|ERROR: (AddressSanitizer: [\w-]+)"
)
_BANNER = re.compile(rb"U-Boot 20\d\d\.\d\d")
_SLACK = Path("/proc/self/timerslack_ns")
_KEEP = 8192  # bytes of what it said last
_LINES = 40  # of that, what an error shows


class SandboxProcess:
    """Starts U-Boot on two pipes: every byte comes as U-Boot wrote it.

    A terminal would add bytes: its own echo until U-Boot has set it up, and a carriage return of
    its own before each newline. In return, the pipe must be what U-Boot makes of a terminal:
    readable without waiting.

    The process is the firmware, so its death is the firmware's fault, unless somebody ended it.

    :param folder: where it finds and leaves files.
    """

    def __init__(self, argv: list[str], folder: Path) -> None:
        their_input, our_input = os.pipe()
        our_output, their_output = os.pipe()
        self._input = os.fdopen(our_input, "wb", buffering=0)
        self._output = os.fdopen(our_output, "rb", buffering=0)
        self._said = b""
        os.set_blocking(their_input, False)
        try:
            with _exact_timers():
                self._process = start(
                    argv,
                    cwd=folder,
                    # The emulated clock gives local time, and takes an offset from here
                    env={"TZ": "UTC", "UBOOT_SB_TIME_OFFSET": None},
                    stdin=their_input,
                    stdout=their_output,
                    stderr=their_output,
                )
        except UbtestError:
            self._close()
            raise
        finally:
            os.close(their_input)
            os.close(their_output)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def read(self, size: int, timeout: float) -> bytes:
        """Console output, at most `size` bytes.

        :raises pexpect.TIMEOUT: none came.
        :raises FirmwareCrash: the firmware crashed, and all that it said is read.
        :raises FirmwareError: it ended by itself.
        :raises LabError: it could not be started, or somebody ended it.
        """
        if self._output.closed:
            raise self._death()
        if not select.select([self._output], [], [], timeout)[0]:
            raise pexpect.TIMEOUT(f"no console output within {timeout:.2f} s")
        data = self._output.read(size)
        if not data:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self.kill()
            raise self._death()
        self._said = (self._said + data)[-_KEEP:]
        return data

    def write(self, data: bytes) -> None:
        """Type on the console. What a dead firmware said last is still there to be read."""
        with suppress(BrokenPipeError, ValueError):
            while data:
                data = data[self._input.write(data) :]

    def put(self, data: bytes, address: int) -> None:
        """Put bytes into the memory of the process.

        :raises CaseError: it has no memory there.
        :raises HostError: this machine does not let us write there.
        """
        try:
            with Path(f"/proc/{self.pid}/mem").open("r+b", buffering=0) as memory:
                os.pwrite(memory.fileno(), data, address)
        except PermissionError as error:
            raise HostError(
                "the memory of a program that we started is closed to us",
                next_step="look at `sysctl kernel.yama.ptrace_scope`: 0 or 1 will do",
            ) from error
        except OSError as error:
            raise CaseError(f"the sandbox has no memory at {address:#x}: {error}") from error

    def quit(self) -> None:
        """As a board that loses its power: what U-Boot wrote is in its files at once."""
        self.kill()

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        end(self._process)
        self._close()

    def _close(self) -> None:
        self._input.close()
        self._output.close()

    def _death(self) -> UbtestError:
        """Whose fault it is that the process is no more."""
        code = self._process.returncode
        tail = "\n".join(printable(self._said.replace(b"\r", b"")).strip().splitlines()[-_LINES:])
        if code < 0 and -code not in _CRASHES:
            return LabError(f"the sandbox was ended by {signal.Signals(-code).name}", tail=tail)
        if code < 0:
            what = signal.Signals(-code).name
            return FirmwareCrash(f"the firmware crashed: {what}", tail=tail)
        if found := _CRASH.search(self._said):
            what = printable(found[1] or found[2])
            return FirmwareCrash(f"the firmware crashed: {what}", tail=tail)
        if not _BANNER.search(self._said):
            return LabError(
                f"the sandbox did not start and ended with {code}",
                next_step="run its command line by hand (it is in the results)",
                tail=tail,
            )
        return FirmwareError(f"the firmware ended by itself, with exit code {code}", tail=tail)


@contextmanager
def _exact_timers() -> Iterator[None]:
    """What is started in this block wakes up when it wants to, as a whole board does.

    U-Boot sleeps 0.1 ms each time it looks for a character (drivers/serial/sandbox.c), and Linux
    makes 0.15 of it for an ordinary program. Without the delay, commands take a quarter to a third
    less time. Where the kernel has no such file, they take longer.
    """
    before = _SLACK.read_text() if _SLACK.exists() else None
    try:
        if before is not None:
            _SLACK.write_text("1")
        yield
    finally:
        if before is not None:
            _SLACK.write_text(before)
