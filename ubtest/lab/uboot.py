"""U-Boot's prompt as a labgrid driver: an exact dialogue over any labgrid console."""

import attr
import pexpect
from labgrid.driver import Driver
from labgrid.driver.commandmixin import CommandMixin
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.protocol import CommandProtocol, ConsoleProtocol
from labgrid.step import step

from ubtest.console.reply import Reply
from ubtest.console.session import Session
from ubtest.console.transcript import Transcript
from ubtest.errors import FirmwareError


class ConsoleWire:
    """A labgrid console as the byte seam of a :class:`Session`."""

    def __init__(self, console: ConsoleProtocol) -> None:
        self._console = console

    def read(self, timeout: float) -> bytes:
        try:
            return bytes(self._console.read(size=1, timeout=timeout))
        except pexpect.TIMEOUT:
            return b""

    def write(self, data: bytes) -> None:
        self._console.write(data)


@target_factory.reg_driver
@attr.s(eq=False)
class UBootConsoleDriver(CommandMixin, Driver, CommandProtocol):
    """Speaks to a U-Boot prompt; activation waits for a starting board and stops its autoboot.

    :param prompt: CONFIG_SYS_PROMPT.
    :param interrupt: what stops the autoboot.
    :param chunk: bytes that the line takes before their echo must be back; 0: it has flow control.
    :param boot_timeout: seconds from power-on to the prompt.
    :param bytewise: the line hands over one byte after another, as QEMU's 16550 does: a busy host
        tears an escape sequence apart.
    """

    bindings = {"console": ConsoleProtocol}  # noqa: RUF012 (labgrid reads it from the class)
    prompt: str = attr.ib(default="=> ", validator=attr.validators.instance_of(str))
    interrupt: str = attr.ib(default=" ", validator=attr.validators.instance_of(str))
    chunk: int = attr.ib(default=0, validator=attr.validators.instance_of(int))
    boot_timeout: float = attr.ib(default=30.0, converter=float)
    bytewise: bool = attr.ib(default=False, validator=attr.validators.instance_of(bool))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.transcript = Transcript()
        self._session: Session | None = None

    def on_activate(self) -> None:
        wire = ConsoleWire(self.console)
        self._session = Session(wire, self.transcript, prompt=self.prompt, chunk=self.chunk)
        self.await_prompt()

    def on_deactivate(self) -> None:
        self._session = None

    @property
    def session(self) -> Session:
        """The dialogue itself, for what a single command cannot express."""
        assert self._session is not None, "used before activation"
        return self._session

    def await_prompt(self) -> str:
        """Wait for a starting board; gives back what it printed."""
        log = self.session.await_prompt(timeout=self.boot_timeout, interrupt=self.interrupt)
        self.session.command("true")  # the first exact exchange: nothing is left over from boot
        return log.decode(errors="backslashreplace")

    @Driver.check_active
    @step(args=["line"])
    def command(self, line: str, timeout: float = 10) -> Reply:
        """Run one command; see :meth:`Session.command`."""
        return self.session.command(line, timeout=timeout)

    @Driver.check_active
    def check(self, line: str, timeout: float = 10) -> str:
        """Run one command that must succeed, and give back its output.

        :raises FirmwareError: it answered with another status than 0.
        """
        reply: Reply = self.command(line, timeout)
        if reply.status:
            raise FirmwareError(
                f"`{line}` failed with {reply.status}: {reply.text.strip()[-400:]}",
                tail=self.transcript.tail(),
            )
        return reply.text

    @Driver.check_active
    @step(args=["line"])
    def command_or_reset(self, line: str, timeout: float = 60) -> Reply:
        """Run a command after which the firmware may reset; either way the prompt is back after it.

        :returns: a reply with ``reset`` set and the next boot's log in its output, or a plain one.
        """
        reply = self.session.command(line, timeout=timeout, may_reset=True)
        if reply.reset:
            return Reply(line, reply.output + self.await_prompt().encode(), None)
        return reply

    @Driver.check_active
    @step()
    def reset(self) -> str:
        """Reset the board by its own command and wait for the prompt."""
        self.session.send_reset("reset")
        return self.await_prompt()

    # labgrid's CommandProtocol

    @Driver.check_active
    def run(self, cmd: str, timeout: float = 30) -> tuple[list[str], list[str], int]:
        """labgrid's form of :meth:`command`: (stdout lines, no stderr, exit code)."""
        reply: Reply = self.command(cmd, timeout)
        return reply.lines, [], reply.status or 0

    @Driver.check_active
    def run_check(self, cmd: str, timeout: float = 30) -> list[str]:
        """labgrid's form of :meth:`check`."""
        reply: Reply = self.command(cmd, timeout)
        if reply.status:
            raise ExecutionError(f"`{cmd}` exited with {reply.status}", reply.lines, [])
        return reply.lines

    def get_status(self) -> int:
        return int(self._session is not None)
