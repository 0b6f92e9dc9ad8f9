"""What a QEMU machine is made of, so that one test can have another one."""

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ubtest.errors import CaseError


@dataclass(frozen=True)
class Shape:
    """The machine as on QEMU's command line.

    :param machine: ``-M``, with its properties: ``virt,gic-version=3,iommu=smmuv3``.
    :param memory: ``-m``, in MiB with the unit: ``512M``.
    :param smp: processors.
    :param devices: ``-device`` values.
    :param netdevs: ``-netdev`` values.
    :param icount: the guest's clock runs by instructions, of 2**icount ns each, and not with the
        host's: with a small one a busy host cannot make its time too short, with a large one the
        firmware's waits are short, also those of keys from the console.
    :param dtb: a device tree in the place of QEMU's own; the capsule key is still added to it.
    """

    machine: str
    cpu: str
    memory: str
    smp: int = 1
    devices: tuple[str, ...] = ()
    netdevs: tuple[str, ...] = ()
    icount: int | None = None
    dtb: Path | None = None

    def with_(self, **changes: Any) -> "Shape":
        """The same but for what is named.

        :raises CaseError: a machine has no such thing, or not so much memory.
        """
        known = {field.name for field in fields(self)}
        if unknown := changes.keys() - known:
            raise CaseError(
                f"a machine has no {', '.join(sorted(unknown))}",
                next_step=f"name some of: {', '.join(sorted(known))}",
            )
        memory = str(changes.get("memory", self.memory))
        if not re.fullmatch(r"\d+M", memory):
            raise CaseError(f"memory `{memory}` is not in MiB", next_step="write it like 512M")
        tuples: dict[str, Any] = {
            name: tuple(changes[name]) for name in ("devices", "netdevs") if name in changes
        }
        return replace(self, **{**changes, **tuples})

    def arguments(self, *properties: str) -> list[str]:
        """QEMU's arguments for the machine without its devices.

        :param properties: more of ``-M``.
        """
        machine = ",".join([self.machine, *properties])
        smp = ["-smp", str(self.smp)] if self.smp > 1 else []
        icount = ["-icount", f"shift={self.icount}"] if self.icount is not None else []
        return ["-M", machine, "-cpu", self.cpu, "-m", self.memory, *smp, *icount]
