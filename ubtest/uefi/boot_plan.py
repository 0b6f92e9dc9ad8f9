"""What the boot manager is given, as data: boot options, their order, and the file of each.

Every option leads to a file of its own whose probe has a nonce of its own, so what was started says
by which option it was.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle
from ubtest.formats.devpath import (
    END,
    HardDrive,
    file_path,
    hard_drive,
    vendor_media,
)
from ubtest.formats.gpt import GptPartition
from ubtest.formats.guid import Guid
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.formats.pe import AA64, ARM, X64, Machine
from ubtest.formats.varstore import Variable, pack_variables
from ubtest.media.build import partition_of
from ubtest.media.spec import Image, Partition
from ubtest.probe.build import probe
from ubtest.probe.orders import Orders
from ubtest.uefi.bootmgr import boot_next, boot_order, boot_variable
from ubtest.uefi.on_disk import VARIABLE_FILE

# Of a bundle -> of the images that it starts; the sandbox runs those of its host
MACHINES = {"arm64": AA64, "arm": ARM, "x86_64": X64, "sandbox": X64}
# LINUX_EFI_INITRD_MEDIA_GUID: stands before an initrd's path in a boot option, as `efidebug boot
# add -i` writes it
INITRD = Guid.of("5568e427-68fc-4f3d-ac74-ca555231cc68")
IDENTITY = "boot manager"
SIZE = 16 << 20  # bytes of the disk

Form = Literal["short", "file", "partition"]
File = Literal["probe", "none", "text", "other machine", "other name"]


def machine_of(bundle: Bundle) -> Machine:
    """The processor whose images a firmware starts, with the name of its default boot file.

    :raises CaseError: there is no probe for it.
    """
    if bundle.arch not in MACHINES:
        raise CaseError(
            f"no boot probe for a firmware of {bundle.arch}",
            next_step=f"take a firmware of one of {', '.join(MACHINES)}",
        )
    machine = MACHINES[bundle.arch]
    if bundle.arch == "sandbox" and (own := bundle.traits.sandbox_boot_file):
        return replace(machine, boot_file=own)
    return machine


def other_machine(machine: Machine) -> Machine:
    """A processor that is not this one."""
    return X64 if machine is AA64 else AA64


@dataclass(frozen=True)
class Entry:
    """A boot option and what is in the file that it names.

    :param exit: what its probe returns.
    :param form: its path: HD() with a file, a file alone (both UEFI 2.10 section 3.1.2), or HD()
        alone, which means the default file.
    :param file: "none": there is no such file; "other machine": a probe for another processor;
        "other name": the right probe as the default file of another processor.
    :param disk: of which the path tells; another identity than the plan's is one that is missing.
    :param data: load options.
    :param initrd: a file's content that the option names as initrd; empty: named, and not there.
    :param value: of the variable, in place of an option.
    """

    exit: int = 0
    form: Form = "short"
    file: File = "probe"
    attributes: int = ACTIVE
    disk: str = IDENTITY
    data: bytes = b""
    initrd: bytes | None = None
    value: bytes | None = None


@dataclass(frozen=True)
class BootPlan:
    """A disk with boot options in its variable store, before the first boot.

    :param entries: number of the option -> what it is.
    :param order: BootOrder; None for a store without one.
    :param next: BootNext.
    :param run: what the nonces start with.
    """

    entries: Mapping[int, Entry]
    order: tuple[int, ...] | None = None
    next: int | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    def orders(self, number: int) -> Orders:
        """What the probe of an option is told."""
        return Orders(f"{self.run}-{number:04X}", exit=self.entries[number].exit)

    def option(self, number: int) -> LoadOption:
        """An option as it is written."""
        entry = self.entries[number]
        drive = _drive(entry.disk)
        path = {
            "short": drive + file_path(f"\\{number:04X}.EFI"),
            "file": file_path(f"\\{number:04X}.EFI"),
            "partition": drive,
        }[entry.form] + END
        if entry.initrd is not None:
            path += vendor_media(INITRD) + drive + file_path(f"\\{number:04X}.IMG") + END
        return LoadOption(f"ubtest {number:04X}", path, entry.attributes, entry.data)

    def variables(self) -> tuple[Variable, ...]:
        """What is in the store."""
        found = [
            boot_variable(
                number, self.option(number).pack() if entry.value is None else entry.value
            )
            for number, entry in self.entries.items()
        ]
        found += [boot_order(*self.order)] if self.order is not None else []
        found += [boot_next(self.next)] if self.next is not None else []
        return tuple(found)

    def image(self, machine: Machine) -> Image:
        """The disk, with probes for a processor."""
        files = {VARIABLE_FILE: pack_variables(self.variables())}
        for number, entry in self.entries.items():
            named = other_machine(machine) if entry.file == "other name" else machine
            name = named.boot_path if entry.form == "partition" else f"{number:04X}.EFI"
            if content := self._content(number, machine):
                files[name] = content
            if entry.initrd:
                files[f"{number:04X}.IMG"] = entry.initrd
        return Image((Partition(files),), size=SIZE, identity=IDENTITY)

    def _content(self, number: int, machine: Machine) -> bytes:
        match self.entries[number].file:
            case "none":
                return b""
            case "text":
                return b"not a program\n" * 100
            case "other machine":
                machine = other_machine(machine)
        return probe(machine.name, self.orders(number))


def partition(identity: str = IDENTITY) -> GptPartition:
    """The system partition of a plan's disk, or of another like it."""
    return partition_of(Image((Partition(),), size=SIZE, identity=identity))


def _drive(identity: str) -> bytes:
    found = partition(identity)
    sectors = found.last_lba - found.first_lba + 1
    return hard_drive(HardDrive(1, found.first_lba, sectors, found.unique_guid))
