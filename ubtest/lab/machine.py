"""What a board must be able to do for ubtest beyond power and console, as labgrid protocols are."""

import abc
from collections.abc import Mapping

from ubtest.firmware.bundle import Bundle
from ubtest.media.content import Content
from ubtest.media.disk import Disk


class MachineProtocol(abc.ABC):
    """A board whose firmware, flash and disks the tests control.

    :ivar firmware: the board whose newest bundle is taken while :attr:`bundle` is not set.
    :ivar command_lines: how the board was started since its flash is new, for the results.
    """

    firmware: str
    command_lines: list[list[str]]
    bundle: Bundle

    @abc.abstractmethod
    def check_host(self) -> None:
        """Make sure that what drives the board is on this machine.

        :raises HostError: it is missing; names the package.
        """

    @abc.abstractmethod
    def renew(self, planted: Mapping[int, bytes] | None = None) -> None:
        """Give the board, which is off, new flash with the firmware, and no disks.

        :param planted: bytes to put into the flash at these offsets, as old content of a region.
        """

    @abc.abstractmethod
    def flash(self, index: int = 0) -> bytes:
        """The whole content of a flash chip, read behind the firmware's back."""

    def content(self, index: int = 0) -> Content:
        """The same in a form that is quick to compare."""
        return Content.of(self.flash(index))

    @abc.abstractmethod
    def put(self, data: bytes, address: int) -> str:
        """Put bytes into the memory of the running board.

        :returns: the console command that does it, or nothing when they are there already.
        """

    def read_memory(self, address: int, size: int) -> bytes | None:
        """Bytes of the running board's memory, read behind the back of what runs there; None where
        only that can read them."""
        return None

    @abc.abstractmethod
    def attach(self, disk: Disk, bus: str, **options: object) -> str:
        """Attach a disk.

        :returns: the name to :meth:`detach` it by.
        """

    @abc.abstractmethod
    def has(self, name: str) -> bool:
        """Whether what :meth:`attach` gave this name is still in the machine."""

    @abc.abstractmethod
    def detach(self, name: str) -> None:
        """Take a disk out."""
