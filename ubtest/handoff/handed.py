"""One handoff: what U-Boot held, what the kernel got, and all that is judged about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ubtest.errors import CaseError, FirmwareError
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.fdt import parse
from ubtest.formats.iomem import parse_iomem
from ubtest.formats.memory_map import of_kernel, of_uboot
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable
from ubtest.handoff import bpf, device_tree, memory, pci, seeds, services, tables, variables
from ubtest.handoff.finding import Finding
from ubtest.handoff.firmware_side import HOME, TREE, WatchedBoot
from ubtest.handoff.survey import Survey
from ubtest.handoff.target_side import gather
from ubtest.lab.board import Board
from ubtest.lab.linux_boot import LinuxBoot

DEBUG = "efi=debug"  # makes the kernel print the memory map that it got

_MAC = re.compile(r"^eth(\d*)addr=([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})$", re.MULTILINE)
_BANK = re.compile(r"^-> start += 0x([0-9a-f]+)\n-> size += 0x([0-9a-f]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Handoff:
    """A survey of both sides.

    :param survey: what :func:`hand_over` gathered, or a file of it.
    """

    survey: Survey

    @property
    def uefi(self) -> bool:
        """Whether the kernel was started through its EFI stub."""
        return tables.NO_UEFI not in self.log and bool(tables.taken(self.log))

    @property
    def log(self) -> str:
        return self.survey.text("dmesg")

    def held(self, name: str) -> str:
        """What one of U-Boot's commands printed; empty where it was not asked."""
        return self.survey.text(HOME + name)

    @cached_property
    def before(self) -> DeviceTree:
        """The tree that U-Boot handed over.

        :raises CaseError: the survey was taken from a target that was up already.
        :raises FirmwareError: it is broken.
        """
        if TREE not in self.survey.files:
            raise CaseError(
                "nobody looked at what U-Boot held",
                next_step="boot the board with `ubtest handoff show --lg-env BOARD`",
            )
        return _tree(self.survey.files[TREE], "U-Boot's")

    @cached_property
    def after(self) -> DeviceTree:
        """The kernel's.

        :raises CaseError: there is none.
        """
        if "fdt" not in self.survey.files:
            raise CaseError(
                "the target has no /sys/firmware/fdt",
                next_step="boot it with a device tree: a kernel that got ACPI tables has none",
            )
        return _tree(self.survey.files["fdt"], "the kernel's")

    @property
    def told(self) -> device_tree.Setting:
        """What U-Boot's environment and hardware say that may show in the tree."""
        macs = {
            int(number or 0): bytes.fromhex(mac.replace(":", ""))
            for number, mac in _MAC.findall(self.held("environment"))
        }
        banks = tuple(
            (int(at, 16), int(size, 16)) for at, size in _BANK.findall(self.held("bdinfo"))
        )
        return device_tree.Setting(macs, tuple(bank for bank in banks if bank[1]), self.uefi)

    @cached_property
    def memory(self) -> memory.Memory:
        """:raises CaseError: the kernel did not print the memory map that it got."""
        handed = of_kernel(self.log)
        if self.uefi and not handed:
            raise CaseError(
                "the kernel did not print its memory map", next_step=f"boot it with {DEBUG}"
            )
        said = self.held("memmap")
        return memory.Memory(
            of_uboot(said) if said else (),
            handed,
            parse_iomem(self.survey.text("proc/iomem")),
            self.before,
        )

    @property
    def seeds(self) -> seeds.Seeds:
        return seeds.seeds(self.held("handles"), self.log, self.before, self.after)

    def findings(self, held_variables: Iterable[Variable]) -> dict[str, list[Finding]]:
        """Every rule that does not hold, by subject; all subjects that were judged are there.

        :param held_variables: those that U-Boot had.
        """
        found = {
            "device tree": device_tree.findings(self.before, self.after, self.told),
            "memory": memory.findings(self.memory),
            "seeds": seeds.findings(self.seeds, uefi=self.uefi),
            "PCI": pci.findings(self.survey, self.before),
        }
        if self.uefi:
            now = variables.variables(self.survey)
            found |= {
                "tables": tables.of_tables(self.held("tables"), self.log),
                "SMBIOS": tables.of_smbios(self.held("smbios"), self.survey),
                "ESRT": tables.of_esrt(self.held("esrt"), self.survey),
                "runtime services": services.findings(self.survey),
                "variables": variables.findings(held_variables, now) + variables.of_boot(now),
            }
        return found


def hand_over(board: Board, boot: LinuxBoot) -> Handoff:
    """Boot a kernel, look at both sides, and leave the board in Linux.

    :raises CaseError, LabError, FirmwareError: the boot fails, or a side cannot be read.
    """
    held: dict[str, bytes] = {}
    watched = WatchedBoot(
        boot.kernel,
        boot.through,
        f"{boot.arguments} {DEBUG}".strip(),
        boot.tree,
        boot.commands,
        board=board,
        held=held,
    )
    survey = gather(board.linux(watched))
    config = {bpf.SYMBOLS: bpf.symbols(boot.kernel.config)}
    return Handoff(Survey({**survey.files, **held, **config}))


def _tree(data: bytes, whose: str) -> DeviceTree:
    try:
        return parse(data)
    except FormatError as error:
        raise FirmwareError(f"{whose} device tree is broken: {error}") from error
