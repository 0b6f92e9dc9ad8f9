"""U-Boot's sandbox as a labgrid board: the firmware is a process of this machine."""

import shutil
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError, FirmwareError, LabError
from ubtest.firmware.bundle import Bundle, find
from ubtest.firmware.versions import traits
from ubtest.lab.machine import MachineProtocol
from ubtest.lab.sandbox_dtb import FLASH_SIZE, sandbox_dtb
from ubtest.lab.sandbox_process import SandboxProcess
from ubtest.media.disk import Disk
from ubtest.project import Project
from ubtest.run import require

BUS = "host"  # a disk is a file of the host, which the console command `host bind` takes
ERASED = b"\xff"


@target_factory.reg_driver
@attr.s(eq=False)
class SandboxMachineDriver(
    ConsoleExpectMixin, Driver, PowerProtocol, ConsoleProtocol, MachineProtocol
):
    """Runs U-Boot's sandbox build, with a file behind its SPI flash.

    The firmware does not run from that flash: it is the program itself. A reset of the firmware
    starts the program anew inside of the same process (U-Boot: arch/sandbox/cpu/start.c), which
    the console survives. Files live in a temporary folder until the driver is deactivated.

    :param firmware: the board whose newest bundle is run, unless :attr:`bundle` is set.
    """

    firmware: str = attr.ib(validator=attr.validators.instance_of(str))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.txdelay = 0  # ConsoleExpectMixin wants it
        self._bundle: Bundle | None = None
        self._folder: Path | None = None
        self.command_lines: list[list[str]] = []  # one a power-on, since the flash is new
        self._process: SandboxProcess | None = None
        self._disks: dict[str, Disk] = {}
        self._dtb: Path | None = None
        self._numbers = count()

    # what is in the machine

    @property
    def bundle(self) -> Bundle:
        """The firmware under test.

        :raises HostError: none is built.
        :raises CaseError: it is no sandbox, or not all of one.
        """
        if self._bundle is None:
            self._bundle = _checked(find(self.firmware))
        return self._bundle

    @bundle.setter
    def bundle(self, bundle: Bundle) -> None:
        self._must_be_off("another firmware")
        if bundle is not self._bundle:
            self._bundle = _checked(bundle)
            self._dtb = None
        self._empty()

    def check_host(self) -> None:
        require("fdtput")

    @Driver.check_active
    @step()
    def renew(self, planted: Mapping[int, bytes] | None = None) -> None:
        """Make the flash as it comes from its maker: erased, but for what is planted."""
        self._must_be_off("a new flash")
        self._empty()
        self.command_lines.clear()
        with self._flash.open("wb") as file:
            file.write(ERASED * FLASH_SIZE)
            for offset, data in (planted or {}).items():
                file.seek(offset)
                file.write(data)

    @Driver.check_active
    def flash(self, index: int = 0) -> bytes:
        if index != 0:
            raise CaseError(f"no flash {index}: the sandbox has one, number 0")
        content = self._flash.read_bytes()
        if len(content) > FLASH_SIZE:  # U-Boot's emulation of the chip lets it
            raise FirmwareError(
                f"the firmware wrote to {len(content):#x} in a flash of {FLASH_SIZE:#x} bytes"
            )
        return content

    @Driver.check_active
    def put(self, data: bytes, address: int) -> str:
        """Put bytes into the memory of the running firmware.

        :param address: as the process has it, which is what ``efidebug`` takes
            (U-Boot: cmd/efidebug.c); other commands count from the start of the board's memory.
        """
        self._on().put(data, address)
        return ""

    @Driver.check_active
    @step(args=["disk", "bus"])
    def attach(self, disk: Disk, bus: str = BUS, **options: object) -> str:
        """Note that a disk is there: the firmware opens its file itself, with ``host bind``."""
        if bus != BUS or options:
            raise CaseError(f"the sandbox has disks on the bus `{BUS}` only, without options")
        name = f"disk{next(self._numbers)}"
        self._disks[name] = disk
        return name

    @Driver.check_active
    @step(args=["name"])
    def detach(self, name: str) -> None:
        """Forget a disk; a running firmware lets go of it with ``host unbind``."""
        del self._disks[name]

    # power

    @Driver.check_active
    @step()
    def on(self) -> None:
        """Power on: start the program."""
        if self._process is not None:
            return
        if not self._flash.exists():
            self.renew()
        argv = [str(_program(self.bundle)), "-d", str(self._device_tree())]
        argv += ["-t", "raw"]  # Ctrl-C is a byte for the firmware
        argv += ["-S"]  # a crash says where it happened
        self.command_lines.append(argv)
        self._process = SandboxProcess(argv, self.folder)

    @Driver.check_active
    @step()
    def off(self) -> None:
        """Power off: the process is killed, as a board that loses its power is."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @Driver.check_active
    def cut(self) -> None:
        """Cut the power: the same."""
        self.off()

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
        self._folder = Path(tempfile.mkdtemp(prefix="ubtest-sandbox-"))

    def on_deactivate(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._disks.clear()
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

    @property
    def _flash(self) -> Path:
        return self.folder / "flash0.img"

    def _device_tree(self) -> Path:
        """Made once for a firmware: it names files of this folder and holds the keys."""
        if self._dtb is None:
            esl = None
            if traits(self.bundle.version).capsule_key == "dtb":
                project = Project.find(Path(self.target.env.config.base))
                esl = KeyRing.load(project.keys).trusted_esl()
            assert self.bundle.dtb is not None  # _checked
            path = self.folder / "sandbox.dtb"
            self._dtb = sandbox_dtb(self.bundle.dtb, path, flash=self._flash, esl=esl)
        return self._dtb

    def _on(self) -> SandboxProcess:
        if self._process is None:
            raise LabError("the machine is off")
        return self._process

    def _must_be_off(self, what: str) -> None:
        if self._process is not None:
            raise CaseError(f"{what} needs the machine to be off")

    def _empty(self) -> None:
        self._disks.clear()
        if self._folder is not None:
            self._flash.unlink(missing_ok=True)


def _program(bundle: Bundle) -> Path:
    """What runs: `u-boot` itself. Its u-boot.bin is a copy of its sections, nothing to start."""
    return bundle.binary.with_name("u-boot")


def _checked(bundle: Bundle) -> Bundle:
    """A bundle that can be run here.

    :raises CaseError: another architecture, or a file is missing.
    """
    bundle.require(arch="sandbox")
    for path in (_program(bundle), bundle.binary.with_name("u-boot.dtb")):
        if not path.is_file():
            raise CaseError(f"no firmware: {path} is missing", next_step="give a build directory")
    return bundle
