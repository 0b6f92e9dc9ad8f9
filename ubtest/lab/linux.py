"""A Linux shell as a labgrid driver: exact over a console that the kernel writes to as well."""

import base64
import shlex

import attr
from labgrid.driver import Driver
from labgrid.driver.commandmixin import CommandMixin
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.protocol import CommandProtocol, ConsoleProtocol
from labgrid.step import step

from ubtest.console.answer import md5
from ubtest.console.reply import Reply
from ubtest.console.shell import Login, ShellSession
from ubtest.console.transcript import Transcript
from ubtest.deadline import Deadline
from ubtest.errors import FirmwareError, LabError
from ubtest.lab.uboot import ConsoleWire

_PIECE = 24 * 1024  # bytes that are sent without waiting; the kernel's terminal layer holds more


@target_factory.reg_driver
@attr.s(eq=False)
class LinuxShellDriver(CommandMixin, Driver, CommandProtocol):
    """Speaks to a shell of a Linux that is starting; activation waits for it.

    Each command has a subshell of its own, and nothing to read: a `cd` or a variable does not
    reach the next one.

    :param prompt: what the shell's prompt ends with, a regular expression.
    :param user: for a board that asks for a login.
    :param boot_timeout: seconds from the start of the kernel to the shell.
    """

    bindings = {"console": ConsoleProtocol}  # noqa: RUF012 (labgrid reads it from the class)
    prompt: str = attr.ib(default=r"[#$] ", validator=attr.validators.instance_of(str))
    user: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    password: str = attr.ib(default="", validator=attr.validators.instance_of(str))
    boot_timeout: float = attr.ib(default=120.0, converter=float)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.transcript = Transcript()
        self._session: ShellSession | None = None

    def on_activate(self) -> None:
        self._session = ShellSession(
            ConsoleWire(self.console),
            self.transcript,
            prompt=self.prompt,
            login=Login(self.user, self.password),
        )
        self._session.await_shell(timeout=self.boot_timeout)

    def on_deactivate(self) -> None:
        self._session = None

    @property
    def session(self) -> ShellSession:
        assert self._session is not None, "used before activation"
        return self._session

    @Driver.check_active
    @step(args=["line"])
    def run(self, line: str, timeout: float = 30) -> Reply:
        """Run one command, once; see :meth:`ShellSession.command`.

        The reply unpacks into labgrid's (stdout lines, stderr lines, exit code).
        """
        return self.session.command(line, timeout=timeout)

    @Driver.check_active
    def check(self, line: str, timeout: float = 30) -> str:
        """Run one command that must succeed, and give back its output.

        :raises FirmwareError: it ended with another status than 0.
        """
        return self._succeeded(self.run(line, timeout)).text

    @Driver.check_active
    def read(self, path: str, timeout: float = 30) -> bytes:
        """What a file of the target holds, whatever its size claims to be.

        :raises FirmwareError: it cannot be read.
        """
        output: bytes = self._succeeded(self.run(f"cat {shlex.quote(path)}", timeout)).output
        return output

    @Driver.check_active
    @step(args=["path"])
    def write(self, path: str, data: bytes, timeout: float = 30) -> None:
        """Write a file of the target, with one system call, as sysfs and efivarfs want it.

        :raises FirmwareError: it cannot be written.
        :raises LabError: something else than `data` came over.
        """
        deadline = Deadline(timeout)
        self.check(": >$u_d/in", deadline.left)
        for start in range(0, len(data), _PIECE):
            lines = base64.encodebytes(data[start : start + _PIECE])
            line = f"<head -n {lines.count(10)} | base64 -d >>$u_d/in"
            # A line that loses letters makes base64 fail, too: the checksum below is the judge
            self.session.command(line, timeout=deadline.left, feed=lines)
        if self.check("md5sum <$u_d/in", deadline.left).split()[0] != md5(data):
            raise LabError(f"what came to the target for {path} is something else")
        size = max(len(data), 1)
        copied = f"dd if=$u_d/in of={shlex.quote(path)} bs={size} count=1"
        self._succeeded(self.run(copied, deadline.left))

    @Driver.check_active
    def run_check(self, cmd: str, timeout: float = 30) -> list[str]:
        """labgrid's form of :meth:`check`."""
        reply: Reply = self.run(cmd, timeout)
        if reply.status:
            raise ExecutionError(f"`{cmd}` exited with {reply.status}", reply.lines, [])
        return reply.lines

    def get_status(self) -> int:
        return int(self._session is not None)

    def _succeeded(self, reply: Reply) -> Reply:
        if reply.status:
            raise FirmwareError(
                f"`{reply.command}` ended with {reply.status}: {reply.text.strip()[-400:]}",
                tail=self.transcript.tail(),
            )
        return reply
