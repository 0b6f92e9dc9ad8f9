"""One running QEMU: its process, its console and its monitor."""

import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pexpect

from ubtest.errors import LabError
from ubtest.lab.qmp import Qmp
from ubtest.run import end, start


class GuestReset(Exception):
    """The guest asked for a reset: QEMU has ended and its owner starts the next one."""


class QemuProcess:
    """Starts QEMU on two socket pairs that it inherits: no socket file, no port, and its death
    shows at once as the end of both. The guest's memory is a file in memory that both share.

    :param command_line: makes the arguments from the descriptors of console, monitor and memory.
    :param stderr: file for what QEMU says about itself.
    :param memory: bytes of the guest's memory.
    :raises LabError: QEMU refuses its command line; with its words.
    """

    def __init__(
        self, command_line: Callable[[int, int, int], list[str]], stderr: Path, memory: int
    ) -> None:
        self._stderr = stderr
        self._console, theirs = socket.socketpair()
        link, monitor = socket.socketpair()
        self._memory = os.memfd_create("guest")
        os.ftruncate(self._memory, memory)
        with theirs, monitor, stderr.open("wb") as file:
            inherited = [theirs.fileno(), monitor.fileno(), self._memory]
            self._process = start(
                command_line(*inherited),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=inherited,
            )
        try:
            self.qmp = Qmp(link)
        except LabError as error:
            link.close()
            raise self._ended() from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def read(self, size: int, timeout: float) -> bytes:
        """Console output, at most `size` bytes.

        :raises pexpect.TIMEOUT: none came.
        :raises GuestReset: the guest reset itself, which ends QEMU.
        :raises LabError: QEMU has ended.
        """
        if not select.select([self._console], [], [], timeout)[0]:
            raise pexpect.TIMEOUT(f"no console output within {timeout:.2f} s")
        data = b""
        with suppress(ConnectionResetError):
            data = self._console.recv(size)
        if not data:
            if self.qmp.ended_by("guest-reset"):
                self.kill()
                raise GuestReset
            raise self._ended()
        return data

    def write(self, data: bytes) -> None:
        """Type on the console.

        :raises LabError: QEMU has ended.
        """
        try:
            self._console.sendall(data)
        except OSError as error:
            raise self._ended() from error

    def put(self, data: bytes, offset: int) -> None:
        """Put bytes into the guest's memory, at an offset from its start."""
        os.pwrite(self._memory, data, offset)

    def read_memory(self, offset: int, size: int) -> bytes:
        """Bytes of the guest's memory, at an offset from its start."""
        return os.pread(self._memory, size, offset)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The machine stands still, and what it wrote is in its images."""
        self.qmp.execute("stop")
        try:
            yield
        finally:
            self.qmp.execute("cont")

    def quit(self) -> None:
        """Let QEMU write its images out and end; it is ended if it does not."""
        with suppress(LabError, subprocess.TimeoutExpired):
            self.qmp.execute("quit")
            self._process.wait(5)
        self.kill()

    def kill(self) -> None:
        """End QEMU in the middle of whatever it does."""
        end(self._process)
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1
        self._console.close()
        if hasattr(self, "qmp"):
            self.qmp.close()

    def _ended(self) -> LabError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self.kill()
        said = self._stderr.read_text(errors="backslashreplace").strip()
        return LabError(
            f"QEMU ended with {self._process.returncode}: {said or 'it said nothing'}",
            next_step="if nobody killed it, run its command line by hand (qemu.txt of the result)",
        )
