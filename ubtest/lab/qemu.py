"""A QEMU machine as a labgrid board: power, console, flashes, disks, snapshots, hot-plug."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import attr
import pexpect
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from ubtest.errors import CaseError, LabError, writing
from ubtest.firmware.bundle import Bundle
from ubtest.lab.blockdev import BlockNode, bus_of, node
from ubtest.lab.process_board import ProcessBoardDriver
from ubtest.lab.qemu_process import GuestReset, QemuProcess
from ubtest.lab.shape import Shape
from ubtest.media.content import Content
from ubtest.media.disk import Disk
from ubtest.run import require, run

MIB = 1024 * 1024
_STRINGS = attr.validators.deep_iterable(attr.validators.instance_of(str))


@target_factory.reg_driver
@attr.s(eq=False)
class QEMUMachineDriver(ProcessBoardDriver[QemuProcess]):
    """Runs U-Boot in QEMU from a flash image, as a board runs it from its flash.

    :param rom: the file of the bundle that goes to the start of flash 0.
    :param ram: address of the guest's memory; by itself that of the arm machines "virt".
    :param flashes: sizes of the parallel flashes in MiB; the machine boots from the first.
    :param smp: processors.
    :param devices: ``-device`` values that are always there.
    :param netdevs: ``-netdev`` values, for devices that shall have a link: ``user,restrict=on``.
    :param icount: of the :class:`Shape`.
    :param snapshots: put flashes and disks into qcow2, so that :meth:`save` works.
    """

    qemu: str = attr.ib(default="qemu-system-aarch64", validator=attr.validators.instance_of(str))
    arch: str = attr.ib(default="arm64", validator=attr.validators.instance_of(str))
    machine: str = attr.ib(default="virt", validator=attr.validators.instance_of(str))
    cpu: str = attr.ib(default="cortex-a57", validator=attr.validators.instance_of(str))
    memory: str = attr.ib(default="256M", validator=attr.validators.matches_re(r"\d+M"))
    rom: str = attr.ib(default="u-boot.bin", validator=attr.validators.instance_of(str))
    ram: int = attr.ib(default=0x40000000, validator=attr.validators.instance_of(int))
    flashes: list[int] = attr.ib(
        factory=lambda: [64, 64], validator=attr.validators.instance_of(list)
    )
    smp: int = attr.ib(default=1, validator=attr.validators.instance_of(int))
    devices: list[str] = attr.ib(factory=list, validator=_STRINGS)
    netdevs: list[str] = attr.ib(factory=list, validator=_STRINGS)
    icount: int | None = attr.ib(
        default=None, validator=attr.validators.optional(attr.validators.instance_of(int))
    )
    snapshots: bool = attr.ib(default=False, validator=attr.validators.instance_of(bool))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._nodes: dict[str, BlockNode] = {}
        self._plugged: dict[str, dict[str, Any]] = {}
        self._shape = self._declared

    # what is in the machine

    def shape(self, **changes: object) -> None:
        """Make another machine of this one, which is off; :meth:`renew` makes it the board
        file's again.

        ``shape(machine="virt,gic-version=2", memory="3072M", smp=2)``. What is not named stays.

        :param changes: fields of :class:`Shape`; each replaces all that the board file says there.
        :raises CaseError: there is no such field, or the machine is on.
        """
        self._must_be_off("another machine")
        self._shape = self._shape.with_(**changes)

    @property
    def declared_devices(self) -> tuple[str, ...]:
        """The board file's ``devices``, for a shape that differs in one of them."""
        return self._declared.devices

    def device_tree(self) -> bytes:
        """The device tree that this machine starts with, to look at or to edit.

        Edited, it comes back as ``shape(dtb=PATH)``.
        """
        self._must_be_off("its device tree")
        return self._device_tree().read_bytes()

    def check_host(self) -> None:
        require(self._tool())

    @Driver.check_active
    def flash(self, index: int = 0) -> bytes:
        with self._standing():
            return self._nodes[f"flash{index}"].content()

    @Driver.check_active
    def content(self, index: int = 0) -> Content:
        with self._standing():
            image = self._nodes[f"flash{index}"]
            return (
                Content.read(image.path) if image.format == "raw" else Content.of(image.content())
            )

    @Driver.check_active
    def put(self, data: bytes, address: int) -> str:
        self._on().put(data, address - self.ram)
        return ""

    @Driver.check_active
    def read_memory(self, address: int, size: int) -> bytes | None:
        return self._on().read_memory(address - self.ram, size)

    @Driver.check_active
    @step(args=["disk", "bus"])
    def attach(
        self,
        disk: Disk,
        bus: str = "virtio",
        *,
        to: str = "",
        read_only: bool = False,
        **options: object,
    ) -> str:
        """Attach a disk, cold while the machine is off, else by hot-plug.

        :param to: the controller, where it is not the bus's usual one: what :meth:`plug` gave.
        :param read_only: what the guest writes does not get there, and it is told so.
        :param options: properties of the QEMU device, e.g. ``port="3"`` for USB.
        :returns: the name to :meth:`detach` it by.
        """
        name = f"disk{next(self._numbers)}"
        added = self._add_node(name, disk.path)
        if read_only:
            added = self._nodes[name] = replace(added, read_only=True)
        device = added.device(bus, hot=self._process is not None, to=to, **options)
        if self._process is not None:
            self._process.qmp.execute("blockdev-add", **added.blockdev)
        return self._plug(device)

    @Driver.check_active
    @step(args=["driver"])
    def plug(self, driver: str, *, to: str = "", **options: object) -> str:
        """Put in a device without a disk of its own: a hub, a controller.

        :param driver: QEMU's name of it, ``usb-hub``.
        :param to: the controller that it is plugged into; ``xhci`` is the board file's.
        :param options: its properties, e.g. ``port="2"``.
        :returns: the name to :meth:`detach` it by, and to attach disks to.
        """
        name = f"device{next(self._numbers)}"
        return self._plug({"driver": driver, "id": name, **bus_of(to), **options})

    def has(self, name: str) -> bool:
        return name in self._plugged

    @Driver.check_active
    @step(args=["name"])
    def detach(self, name: str) -> None:
        """Take a disk or a device out, by hot-unplug while the machine runs."""
        disk = self._nodes.get(name)
        if self._process is not None:
            qmp = self._process.qmp
            qmp.execute("device_del", id=name)
            # QEMU frees the device once no CPU may still use it, and a CPU that polls at U-Boot's
            # prompt never gives that sign (seen on 7.2): a paused one does.
            with self._process.paused():
                qmp.wait_event("DEVICE_DELETED", timeout=10, device=name)
            if disk is not None:
                qmp.execute("blockdev-del", **{"node-name": name})
        del self._plugged[name]
        if disk is not None:
            del self._nodes[name]

    @Driver.check_active
    def qmp(self, command: str, **arguments: object) -> Any:
        """Run a command of QEMU's machine protocol; see :meth:`Qmp.execute`."""
        return self._on().qmp.execute(command, **arguments)

    # snapshots

    @Driver.check_active
    @step(args=["name"])
    def save(self, name: str) -> None:
        """Keep the running machine's whole state: memory, devices, flashes, disks.

        :raises LabError: the driver was not configured with ``snapshots: true``.
        """
        self._snapshot(f"savevm {name}")

    @Driver.check_active
    @step(args=["name"])
    def restore(self, name: str) -> None:
        """Go back to a state that :meth:`save` kept."""
        self._snapshot(f"loadvm {name}")

    # a board as a process

    def _check(self, bundle: Bundle) -> None:
        bundle.require(arch=self.arch)
        if not self._rom(bundle).is_file():
            raise CaseError(
                f"the firmware {bundle.path} has no {self.rom}",
                next_step=f"give the folder of a build that made {self.rom}",
            )

    def _rom(self, bundle: Bundle) -> Path:
        return bundle.binary if self.rom == "u-boot.bin" else bundle.binary.with_name(self.rom)

    def _forget(self) -> None:
        self._nodes.clear()
        self._plugged.clear()
        self._shape = self._declared

    @property
    def _declared(self) -> Shape:
        devices, netdevs = tuple(self.devices), tuple(self.netdevs)
        board = self.machine, self.cpu, self.memory, self.smp
        return Shape(*board, devices, netdevs, self.icount)

    def _read(self, size: int = 1, timeout: float = 0.0, max_size: int | None = None) -> bytes:
        try:
            return super()._read(size, timeout, max_size)
        except GuestReset:
            self._process = self._start()
            raise pexpect.TIMEOUT("the machine has just reset") from None

    def _start(self) -> QemuProcess:
        size = int(self._shape.memory.removesuffix("M")) * MIB
        return QemuProcess(self._command_line, self.folder / "stderr", size)

    def _write_tree(self, path: Path) -> None:
        """U-Boot takes its device tree from QEMU, so what other boards carry in their own has to
        go into that one."""
        if self._shape.dtb is not None:
            path.write_bytes(self._shape.dtb.read_bytes())
            return
        # With the flash: a machine without firmware has a GPIO controller in the place of an ACPI
        # device, and Linux dies of one that only the tree knows.
        machine = [f"dumpdtb={path}", "pflash0=flash0"]
        flash = {"driver": "null-co", "node-name": "flash0", "size": self.flashes[0] * MIB}
        args = [self._tool(), "-nodefaults", "-display", "none", "-blockdev", json.dumps(flash)]
        run([*args, *self._shape.arguments(*machine)])

    @property
    def _tree_of(self) -> object:
        return self._shape

    def _make_flashes(self, planted: Mapping[int, bytes]) -> None:
        for index, size in enumerate(self.flashes):
            path = self._flash_file(index)
            with writing(path), path.open("wb") as file:
                file.truncate(size * MIB)
                if index == 0:
                    file.write(self._rom(self.bundle).read_bytes())
                    for offset, data in planted.items():
                        file.seek(offset)
                        file.write(data)
            self._add_node(f"flash{index}", path)

    # inside

    def _command_line(self, console: int, monitor: int, memory: int) -> list[str]:
        flashes = [f"pflash{i}=flash{i}" for i in range(len(self.flashes))]
        args = [self._tool(), "-nodefaults", "-display", "none", "-nic", "none"]
        # A reset ends QEMU and starts another one: QEMU 7.2 goes on with the code that it had
        # translated from flash before an update changed it, and the new firmware crashes.
        args += ["-no-reboot"]
        args += self._shape.arguments("memory-backend=ram", *flashes)
        if self.dtb_properties or self._key_in_tree or self._shape.dtb:
            args += ["-dtb", str(self._device_tree())]
        ram = f"memory-backend-file,id=ram,share=on,size={self._shape.memory}"
        args += ["-object", f"{ram},mem-path=/proc/self/fd/{memory}"]
        args += ["-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console"]
        args += ["-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "monitor,mode=control"]
        for netdev in self._shape.netdevs:
            args += ["-netdev", netdev]
        for device in self._shape.devices:
            args += ["-device", device]
        for added in self._nodes.values():
            args += ["-blockdev", json.dumps(added.blockdev)]
        for plugged in self._plugged.values():
            args += ["-device", json.dumps(plugged)]
        self.command_lines.append(args)
        return args

    def _tool(self) -> str:
        return str(self.target.env.config.get_tool(self.qemu))

    def _add_node(self, name: str, image: Path) -> BlockNode:
        self._nodes[name] = node(name, image, self.folder, snapshots=self.snapshots)
        return self._nodes[name]

    def _plug(self, device: dict[str, Any]) -> str:
        if self._process is not None:
            self._process.qmp.execute("device_add", **device)
        name = str(device["id"])
        self._plugged[name] = device
        return name

    def _standing(self) -> AbstractContextManager[None]:
        """What the machine wrote is in its images, and it writes nothing now."""
        return nullcontext() if self._process is None else self._process.paused()

    def _snapshot(self, line: str) -> None:
        if answer := self._on().qmp.monitor(line).strip():
            raise LabError(
                f"`{line}` failed: {answer}", next_step="set `snapshots: true` in the board file"
            )
