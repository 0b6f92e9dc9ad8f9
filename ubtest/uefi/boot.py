"""Start what the boot manager finds, and hear from the boot probe how it was started."""

from dataclasses import dataclass

from ubtest.console.reply import Reply
from ubtest.errors import FirmwareError
from ubtest.formats.record import FormatError
from ubtest.lab.board import Board
from ubtest.probe.facts import Facts, parse_facts

BOOT_MANAGER = "bootefi bootmgr"


@dataclass(frozen=True)
class Boot:
    """One try to boot, after which the board is at its prompt again.

    :param runs: what each probe said that was started, in that order.
    :param status: what the command returned; None when the board was reset.
    :param text: all that was printed.
    """

    runs: tuple[Facts, ...]
    status: int | None
    text: str

    @property
    def facts(self) -> Facts | None:
        """The last probe that was started; None when none was."""
        return self.runs[-1] if self.runs else None

    @property
    def reset(self) -> bool:
        return self.status is None

    def nonces(self) -> list[str]:
        """Which probes were started, by their nonces."""
        return [facts.nonce for facts in self.runs]


def boot(board: Board, command: str = BOOT_MANAGER, *, timeout: float = 60) -> Boot:
    """Let a board at its prompt boot, and wait until it is back there.

    A probe that was told to hang never comes back: that is :func:`started`.

    :param command: what starts the image.
    :raises FirmwareCrash: the board crashed.
    :raises FirmwareError: a garbled line of the probe, or no prompt in time.
    """
    session = board.uboot.session
    reply: Reply = session.command(command, timeout=timeout, may_reset=True)
    if reply.reset:
        board.uboot.await_prompt()
    return Boot(_runs(reply.text), reply.status, reply.text)


def started(board: Board, command: str = BOOT_MANAGER, *, timeout: float = 60) -> Facts:
    """Start a probe that does not come back; the board is lost afterwards, and has to be reset.

    :raises FirmwareError: no probe was started.
    """
    session = board.uboot.session
    session.start(command, timeout=timeout)
    found = session.wait(rb"\[UBTEST\{[^\]]*\]", timeout=timeout)
    (facts,) = _runs(found.group().decode("ascii", "replace"))
    return facts


def _runs(text: str) -> tuple[Facts, ...]:
    try:
        return parse_facts(text)
    except FormatError as error:
        raise FirmwareError(str(error), tail=text) from error
