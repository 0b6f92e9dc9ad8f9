"""U-Boot's sandbox as a labgrid board: the firmware is a process of this machine."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from ubtest.errors import CaseError, FirmwareError, writing
from ubtest.firmware.bundle import Bundle
from ubtest.lab.device_tree import put_properties
from ubtest.lab.process_board import ProcessBoardDriver
from ubtest.lab.sandbox_process import SandboxProcess
from ubtest.media.disk import Disk
from ubtest.run import require, run

BUS = "host"  # a disk is a file of the host, which the console command `host bind` takes
ERASED = b"\xff"
FLASH_NODE = "/spi@0/flash@0"  # U-Boot: arch/sandbox/dts/sandbox.dtsi
FLASH_SIZE = 2 << 20  # the chip that it names: m25p16


@target_factory.reg_driver
@attr.s(eq=False)
class SandboxMachineDriver(ProcessBoardDriver[SandboxProcess]):
    """Runs U-Boot's sandbox build, with a file behind its SPI flash.

    The firmware does not run from that flash: it is the program itself. A reset of the firmware
    starts the program anew inside of the same process (U-Boot: arch/sandbox/cpu/start.c), which
    the console survives.
    """

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._disks: dict[str, Disk] = {}

    # what is in the machine

    def check_host(self) -> None:
        require("fdtput")

    @Driver.check_active
    def flash(self, index: int = 0) -> bytes:
        if index != 0:
            raise CaseError(f"no flash {index}: the sandbox has one, number 0")
        content = self._flash_file(0).read_bytes()
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

    def has(self, name: str) -> bool:
        return name in self._disks

    @Driver.check_active
    @step(args=["name"])
    def detach(self, name: str) -> None:
        """Forget a disk; a running firmware lets go of it with ``host unbind``."""
        del self._disks[name]

    # a board as a process

    def _check(self, bundle: Bundle) -> None:
        """:raises CaseError: another architecture, or a file is missing."""
        bundle.require(arch="sandbox")
        for path in (_program(bundle), _tree(bundle)):
            if not path.is_file():
                raise CaseError(
                    f"no firmware: {path} is missing", next_step="give a build directory"
                )

    def _forget(self) -> None:
        self._disks.clear()

    def _make_flashes(self, planted: Mapping[int, bytes]) -> None:
        """As they come from their maker: erased, but for what is planted."""
        path = self._flash_file(0)
        with writing(path), path.open("wb") as file:
            file.write(ERASED * FLASH_SIZE)
            for offset, data in planted.items():
                file.seek(offset)
                file.write(data)

    def _write_tree(self, path: Path) -> None:
        """The build's own, with this run's files in it."""
        shutil.copyfile(_tree(self.bundle), path)
        # Else a control sequence comes before each line
        run(["fdtput", "-d", path, "/serial", "sandbox,text-colour"])
        # U-Boot: drivers/mtd/spi/sandbox.c
        put_properties(path, {FLASH_NODE: {"sandbox,filename": str(self._flash_file(0))}})

    def _start(self) -> SandboxProcess:
        argv = [str(_program(self.bundle)), "-d", str(self._device_tree())]
        argv += ["-t", "raw"]  # Ctrl-C is a byte for the firmware
        argv += ["-S"]  # a crash says where it happened
        self.command_lines.append(argv)
        return SandboxProcess(argv, self.folder)


def _program(bundle: Bundle) -> Path:
    """What runs: `u-boot` itself. Its u-boot.bin is a copy of its sections, nothing to start."""
    return bundle.binary.with_name("u-boot")


def _tree(bundle: Bundle) -> Path:
    return bundle.binary.with_name("u-boot.dtb")
