"""Boards that are a process of this machine, as labgrid drivers: what all of them have alike."""

import abc
import shutil
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import attr
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError, LabError
from ubtest.firmware.bundle import Bundle, find
from ubtest.firmware.versions import traits
from ubtest.lab.device_tree import Properties, capsule_key, put_properties
from ubtest.lab.machine import MachineProtocol
from ubtest.project import Project


class BoardProcess(Protocol):
    """A board that is on."""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""

    def read(self, size: int, timeout: float) -> bytes:
        """Console output; pexpect.TIMEOUT when there is none."""

    def write(self, data: bytes) -> None:
        """Type on the console."""

    def quit(self) -> None:
        """End it so that its files hold what it wrote."""

    def kill(self) -> None:
        """End it in the middle of whatever it does."""


P = TypeVar("P", bound=BoardProcess)


@attr.s(eq=False)
class ProcessBoardDriver(
    ConsoleExpectMixin,
    Driver,
    PowerProtocol,
    ConsoleProtocol,
    MachineProtocol,
    abc.ABC,
    Generic[P],
):
    """Power and console of a process, its firmware, and the folder where its files live until
    the driver is deactivated.

    :param firmware: the board whose newest bundle is run, unless :attr:`bundle` is set.
    :ivar dtb_properties: what a test adds to the device tree before power-on; :meth:`renew` takes
        it out again.
    """

    firmware: str = attr.ib(validator=attr.validators.instance_of(str))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.txdelay = 0  # ConsoleExpectMixin wants it
        self.command_lines: list[list[str]] = []  # one a power-on, since the flash is new
        self.dtb_properties: Properties = {}
        self._bundle: Bundle | None = None
        self._folder: Path | None = None
        self._process: P | None = None
        self._dtb: tuple[object, Path] | None = None
        self._numbers = count()

    # what each kind has of its own

    @abc.abstractmethod
    def _check(self, bundle: Bundle) -> None:
        """Make sure that a bundle can be run here.

        :raises CaseError: it cannot.
        """

    @abc.abstractmethod
    def _make_flashes(self, planted: Mapping[int, bytes]) -> None:
        """Make the files behind the flash, see :meth:`_flash_file`."""

    @abc.abstractmethod
    def _write_tree(self, path: Path) -> None:
        """Write the device tree that the board has by itself."""

    @abc.abstractmethod
    def _start(self) -> P:
        """Start the process."""

    @abc.abstractmethod
    def _forget(self) -> None:
        """Nothing is in the machine any more."""

    # what is in the machine

    @property
    def bundle(self) -> Bundle:
        """The firmware under test.

        :raises HostError: none is built.
        :raises CaseError: it cannot be run here.
        """
        if self._bundle is None:
            found = find(self.firmware)
            self._check(found)
            self._bundle = found
        return self._bundle

    @bundle.setter
    def bundle(self, bundle: Bundle) -> None:
        self._must_be_off("another firmware")
        if bundle is not self._bundle:
            self._check(bundle)
            self._bundle = bundle
            self._dtb = None
        self._empty()

    @Driver.check_active
    @step()
    def renew(self, planted: Mapping[int, bytes] | None = None) -> None:
        self._must_be_off("a new flash")
        self._empty()
        self.dtb_properties = {}
        self.command_lines.clear()
        self._make_flashes(planted or {})

    # power

    @Driver.check_active
    @step()
    def on(self) -> None:
        """Power on: start the process.

        :raises LabError: it does not start.
        """
        if self._process is None:
            if not self._flash_file(0).exists():
                self._make_flashes({})
            self._process = self._start()

    @Driver.check_active
    @step()
    def off(self) -> None:
        """Power off; what the process wrote is in its files."""
        if self._process is not None:
            self._process.quit()
            self._process = None

    @Driver.check_active
    @step()
    def cut(self) -> None:
        """Cut the power: the process is killed in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @Driver.check_active
    def cycle(self) -> None:
        self.off()
        self.on()

    @Driver.check_active
    def get(self) -> bool:
        """For ``labgrid-client power get``."""
        return self._process is not None and self._process.running

    # labgrid's side

    def on_activate(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ubtest-board-"))

    def on_deactivate(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._empty()
        self._dtb = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def _read(self, size: int = 1, timeout: float = 0.0, max_size: int | None = None) -> bytes:
        return self._on().read(max_size or 65536, timeout)

    def _write(self, data: bytes) -> int:
        self._on().write(data)
        return len(data)

    # inside

    @property
    def folder(self) -> Path:
        assert self._folder is not None, "used before activation"
        return self._folder

    def _flash_file(self, index: int) -> Path:
        return self.folder / f"flash{index}.img"

    @property
    def _key_in_tree(self) -> bool:
        """Whether the firmware looks for the capsule keys in its device tree."""
        authenticates = self.bundle.config.enabled("EFI_CAPSULE_AUTHENTICATE")
        return authenticates and traits(self.bundle.version).capsule_key == "dtb"

    def _device_tree(self) -> Path:
        """The tree to start with, made once for what is in it."""
        made_of = self._tree_of, self.dtb_properties
        if self._dtb is None or self._dtb[0] != made_of:
            path = self.folder / "board.dtb"
            self._write_tree(path)
            if self._key_in_tree:
                project = Project.find(Path(self.target.env.config.base))
                put_properties(path, capsule_key(KeyRing.load(project.keys).trusted_esl()))
            put_properties(path, self.dtb_properties)
            self._dtb = made_of, path
        return self._dtb[1]

    @property
    def _tree_of(self) -> object:
        """What else decides on the tree that :meth:`_write_tree` writes."""
        return None

    def _on(self) -> P:
        if self._process is None:
            raise LabError("the machine is off")
        return self._process

    def _must_be_off(self, what: str) -> None:
        if self._process is not None:
            raise CaseError(f"{what} needs the machine to be off")

    def _empty(self) -> None:
        self._forget()
        if self._folder is not None:
            for image in self._folder.glob("flash*"):
                image.unlink()
