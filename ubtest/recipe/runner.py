"""Runs a recipe on a live board."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ubtest.console.transcript import printable
from ubtest.errors import CaseError, FirmwareError
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.bundle import find as find_bundle
from ubtest.firmware.recipe import check_current
from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.kernel.bundle import find as find_kernel
from ubtest.lab.board import Board
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.strategy import State
from ubtest.media.content import Content
from ubtest.project import Project
from ubtest.recipe.devices import WITH_MEDIUM, Device
from ubtest.recipe.expectations import Expectation, File, FileIs, Variable, VariableIs
from ubtest.recipe.file import check
from ubtest.recipe.judge import FlashSeen, Seen, outcome, told
from ubtest.recipe.machine import qemu, shape
from ubtest.recipe.media import BuiltDisk, build
from ubtest.recipe.menus import OpenMenu
from ubtest.recipe.outcome import Outcome, StepOutcome
from ubtest.recipe.schema import Machine, Recipe
from ubtest.recipe.steps import (
    Find,
    Linux,
    Menu,
    Plug,
    PowerCycle,
    Press,
    Reset,
    Shell,
    Step,
    UBoot,
    Unplug,
)
from ubtest.uefi import variables

BANNER = "U-Boot 20"
AtEnd = Callable[[Board], None]


def run(recipe: Recipe, board: Board, folder: Path, at_end: AtEnd = lambda board: None) -> Outcome:
    """Make the steps of a recipe on a board with new flash, and see what it expects.

    The board is off before and after. What the firmware does wrong in a step, a crash, a reset that
    nobody asked for or no answer, ends the steps and is the outcome's `crash`.

    :param folder: where the disks are made.
    :param at_end: given the board after the last step of a run without a crash, still on.
    :raises CaseError: the recipe is wrong, or this board cannot be made as it says.
    :raises LabError: the lab failed; and so on: only the firmware's faults are an outcome.
    """
    check(recipe)
    return outcome(recipe, _Run(recipe, board, folder).seen(at_end))


class _Run:
    def __init__(self, recipe: Recipe, board: Board, folder: Path) -> None:
        self.recipe, self.board, self.folder = recipe, board, folder
        self.built: dict[str, list[BuiltDisk]] = defaultdict(list)  # medium -> its disks
        self.inside: list[tuple[Device, str, BuiltDisk | None]] = []  # with the machine's names
        self.kernel: LinuxBoot | None = None
        self.menu = OpenMenu(board.uboot)
        self.done: list[StepOutcome] = []
        self.variables: dict[VariableIs, bytes | None] = {}
        self.boot = self.crash = ""
        self.acts: Mapping[type[Any], Callable[[Any], StepOutcome]] = {
            UBoot: self._uboot,
            Find: self._find,
            Menu: self.menu.open,
            Press: self.menu.press,
            Linux: self._linux,
            Shell: self._shell,
            Plug: self._plug,
            Unplug: self._unplug,
            Reset: self._reset,
            PowerCycle: self._power_cycle,
        }

    def seen(self, at_end: AtEnd) -> Seen:
        """Everything, from power-on to power-off; the board's firmware is its own again then."""
        own = self.board.machine.bundle
        try:
            return self._seen(at_end)
        finally:
            if self.recipe.variant:  # the flash goes with the firmware
                self.board.machine.bundle = own

    def _seen(self, at_end: AtEnd) -> Seen:
        try:
            self._prepare()
            before = self._flash()
            self._make_steps()
            if not self.crash:
                at_end(self.board)
        finally:
            self.menu.abandon()
            self.board.strategy.lost()
            self.board.off()
        flash = None
        if before is not None and (after := self._flash()) is not None:
            flash = FlashSeen(before, after, self.board.image.region)
        files = {each.file: self._read(each.file) for each in self._looked_at(File)}
        return Seen(tuple(self.done), self.crash, self.boot, self.variables, flash, files)

    def _prepare(self) -> None:
        board, image = self.board, self.board.updatable
        board.off()
        if self.recipe.variant:
            board.machine.bundle = self._variant()
        board.machine.renew({image.offset: image.old_content} if image else None)
        if self.recipe.machine != Machine():
            shape(board, self.recipe.machine)
        if start := next((each for each in self.recipe.steps if isinstance(each, Linux)), None):
            how = start.linux
            self.kernel = LinuxBoot(
                find_kernel(self.recipe.kernel),
                "booti" if how.through == "booti" else "bootmgr",
                how.arguments,
                how.tree,
                how.commands,
            )
            board.insert(self.kernel)
        for device in self.recipe.devices:
            self._put_in(device)

    def _variant(self) -> Bundle:
        machine = self.board.machine
        found = find_bundle(machine.firmware, self.recipe.variant, machine.bundle.version)
        check_current(found, Project.find(Path(self.board.target.env.config.base)))
        return found

    def _make_steps(self) -> None:
        making: Step | None = None
        try:
            self.board.boot()
            self.boot = self._boot_log()
            for step in self.recipe.steps:
                if not isinstance(step, Press | Plug | Unplug):
                    self.menu.leave()
                making = step
                self.done.append(self.acts[type(step)](step))
                making = None
            self.menu.leave()
            for each in self._looked_at(Variable):
                self.variables[each.variable] = self._variable(each.variable)
        except FirmwareError as error:
            self.crash = error.message
            if making is not None:
                self.done.append(StepOutcome(making, _since(told(making), error.tail)))

    # the steps

    def _uboot(self, step: UBoot) -> StepOutcome:
        uboot = self.board.uboot
        answer = uboot.command_or_reset if step.resets else uboot.command
        reply = answer(step.uboot, step.timeout)
        return StepOutcome(step, reply.text, reply.status)

    def _find(self, step: Find) -> StepOutcome:
        disks = [disk for device, _, disk in self.inside if device.driver == "storage" and disk]
        if not disks:
            raise CaseError("no disk to find", next_step="a device with `driver: storage` is one")
        line = self.board.storage.find.format(path=disks[0].disk.path)
        reply = self.board.uboot.command(line, 60)
        return StepOutcome(step, reply.text, reply.status)

    def _linux(self, step: Linux) -> StepOutcome:
        assert self.kernel is not None, "a recipe with this step has been prepared for it"
        self.board.linux(self.kernel)
        return StepOutcome(step)

    def _shell(self, step: Shell) -> StepOutcome:
        reply = self.board.shell.run(step.shell, step.timeout)
        return StepOutcome(step, reply.text, reply.status)

    def _plug(self, step: Plug) -> StepOutcome:
        self._put_in(step.plug)
        return StepOutcome(step)

    def _unplug(self, step: Unplug) -> StepOutcome:
        for at, (device, name, _) in enumerate(self.inside):
            if device.known_as == step.unplug:
                self.board.machine.detach(name)
                del self.inside[at]
                return StepOutcome(step)
        raise CaseError(
            f"`{step.unplug}` is not plugged in when it is to be taken out",
            next_step="plug it before",
        )

    def _reset(self, step: Reset) -> StepOutcome:
        return StepOutcome(step, _clean(self.board.uboot.reset()))

    def _power_cycle(self, step: PowerCycle) -> StepOutcome:
        self.board.off()
        self.board.boot()
        return StepOutcome(step, self._boot_log())

    # the machine

    def _put_in(self, device: Device) -> None:
        to = next((name for each, name, _ in self.inside if each.known_as == device.to), device.to)
        options: dict[str, Any] = {**({"to": to} if to else {}), **device.properties}
        if device.driver not in WITH_MEDIUM:
            name = qemu(self.board, f"a {device.driver}").plug(device.driver, **options)
            self.inside.append((device, name, None))
            return
        disk = self._disk(device.medium)
        bus = WITH_MEDIUM[device.driver] or self.board.storage.bus
        if device.driver == "scsi-cd":
            options["driver"] = "scsi-cd"
        self.inside.append((device, self.board.machine.attach(disk.disk, bus, **options), disk))

    def _disk(self, medium: str) -> BuiltDisk:
        """One that is not in the machine: what was taken out comes in again as it is."""
        used = [disk for _, _, disk in self.inside]
        built = self.built[medium]
        for disk in built:
            if disk not in used:
                return disk
        copy = len(built)
        path = self.folder / (f"{medium}-{copy}.img" if copy else f"{medium}.img")
        built.append(build(self.recipe.media[medium], path, copy, self.board))
        return built[-1]

    # what is seen

    def _boot_log(self) -> str:
        log = self.board.uboot.transcript.tail(400)
        return log[max(log.rfind(BANNER), 0) :]

    def _flash(self) -> Content | None:
        image = self.board.updatable
        return self.board.machine.content(image.flash) if image else None

    def _variable(self, wanted: VariableIs) -> bytes | None:
        assert self.board.strategy.status is State.uboot
        guid = Guid.of(wanted.guid) if wanted.guid else GLOBAL_VARIABLE
        found = variables.read(self.board.uboot, wanted.name, guid)
        return found.data if found else None

    def _read(self, wanted: FileIs) -> bytes | None:
        built = self.built[wanted.medium]
        if not built:
            raise CaseError(
                f"the medium `{wanted.medium}` was in no device", next_step="plug it in"
            )
        return built[0].read(wanted.path, wanted.partition)

    def _looked_at(self, kind: type[Any]) -> list[Any]:
        both: tuple[Expectation, ...] = (*self.recipe.expect, *self.recipe.symptom)
        return [each for each in both if isinstance(each, kind)]


def _since(line: str, tail: str) -> str:
    """What came after a line was typed, as far as it is still there."""
    _, typed, after = tail.rpartition(line)
    return after.partition("\n")[2] if typed else tail


def _clean(log: str) -> str:
    return printable(log.replace("\r", "").encode())
