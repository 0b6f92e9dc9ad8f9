"""What a target shows about its IOMMU, its devices and VFIO: read in one go, kept in one file."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ubtest.errors import CaseError, HostError, writing

PCI = "/sys/bus/pci/devices"
PLATFORM = "/sys/bus/platform/devices"
GROUPS = "/sys/kernel/iommu_groups"
PROBES = "probe/"

# One process reads many files: a shell that walks sysfs takes seconds on a slow target. `fdt` is
# binary, therefore last.
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "release": "uname -a; id -u",
        "cmdline": "cat /proc/cmdline",
        "modules": "cat /proc/modules",
        "interrupts": "cat /proc/interrupts",
        "mounts": "cat /proc/self/mountinfo",
        "swaps": "cat /proc/swaps",
        "blocks": "ls -l /sys/dev/block; ls -d /sys/block/*/slaves/*",
        "devices": f"cd {PCI} && grep -sH '' */vendor */device */class */driver_override",
        "links": f"ls -ld {PCI}/* {PCI}/*/driver {PCI}/*/iommu_group {PCI}/*/of_node "
        f"{PLATFORM}/*/driver {PLATFORM}/*/iommu_group {PLATFORM}/*/of_node",
        "drivers": "ls -d /sys/bus/pci/drivers/vfio* /sys/bus/platform/drivers/vfio*",
        "groups": f"cd {GROUPS} && find . -type l; grep -sH '' */type */reserved_regions",
        "iommus": "ls -l /sys/class/iommu /sys/class/iommu/*/devices",
        "parameters": "cd /sys/module && grep -sH '' vfio*/parameters/* arm_smmu*/parameters/*",
        "config": "C=/boot/config-$(uname -r); { [ -f $C ] && cat $C || zcat /proc/config.gz; } "
        "| grep -E 'VFIO|IOMMU|SMMU'",
        "dmesg": "dmesg",
        "fdt": "cat /sys/firmware/fdt",
    }
)
_MARK = b"\n==> %s <==\n"
_NEXT = "take one with `ubtest vfio explain --lg-env BOARD --save FILE`"


class Reply(Protocol):
    """What a command on the target gave."""

    @property
    def output(self) -> bytes:
        """Both streams, exactly."""

    @property
    def status(self) -> int:
        """0 when it succeeded."""


class Shell(Protocol):
    """A root shell of the target (ubtest.lab.linux)."""

    def run(self, line: str, timeout: float = 30) -> Reply:
        """Run a line."""

    def write(self, path: str, data: bytes, timeout: float = 30) -> None:
        """Write a file."""


def script(names: Iterable[str] = SECTIONS) -> str:
    """The shell command whose output :func:`_sections` reads; any POSIX shell takes it."""
    parts = (f"printf '\\n==> {name} <==\\n'; ({SECTIONS[name]})" for name in names)
    return "{ " + "; ".join(parts) + "; } 2>/dev/null"


@dataclass(frozen=True)
class Survey:
    """The files of one target at one moment.

    :param files: by the name of their section; `probe/DEVICE` has the lines of the VFIO probe.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def gather(cls, shell: Shell, names: Sequence[str] = tuple(SECTIONS)) -> "Survey":
        """Read a target; it is changed in nothing.

        :param names: of the sections; `release` is always wanted.
        :raises CaseError: what came is no survey: the target has no shell, or one that cannot.
        """
        said = shell.run(script(names), 60).output
        found = _sections(said, names)
        if "release" not in found:
            raise CaseError(
                f"the target's shell gave no survey: {said[:80]!r}",
                next_step="it needs a root shell with cat, dmesg, find, grep, ls and printf",
            )
        return cls(found)

    def probed(self, device: str, lines: bytes) -> "Survey":
        """The same with what the VFIO probe said about a device."""
        return Survey({**self.files, PROBES + device: lines})

    def text(self, name: str) -> str:
        """A section; empty where the target has nothing there."""
        return self.files.get(name, b"").decode(errors="backslashreplace")

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()

    @property
    def probes(self) -> Mapping[str, str]:
        """The lines of the VFIO probe by device."""
        names = [name for name in self.files if name.startswith(PROBES)]
        return {name.removeprefix(PROBES): self.text(name) for name in names}

    def save(self, path: Path) -> None:
        """Write a tar.gz, the same bytes for the same survey.

        :raises HostError: it cannot be written.
        """
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in self.files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        with writing(path):
            path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))

    @classmethod
    def load(cls, path: Path) -> "Survey":
        """Read what :meth:`save` wrote.

        :raises CaseError: there is no such file, or it is no survey.
        """
        try:
            with tarfile.open(path, "r:gz") as archive:
                files = {each.name: archive.extractfile(each) for each in archive if each.isfile()}
                found = {name: file.read() for name, file in files.items() if file}
        except FileNotFoundError as error:
            raise CaseError(f"there is no survey {path}", next_step=_NEXT) from error
        except (tarfile.TarError, zlib.error, EOFError) as error:
            raise CaseError(f"{path} is no survey: {error}", next_step=_NEXT) from error
        except OSError as error:
            raise HostError(f"cannot read {path}: {error.strerror or error}") from error
        if "dmesg" not in found:
            raise CaseError(f"{path} is no survey: it has no `dmesg`", next_step=_NEXT)
        return cls(found)


def _sections(said: bytes, names: Sequence[str] = tuple(SECTIONS)) -> dict[str, bytes]:
    """Section by name; those in which nothing is are left out."""
    found = {}
    for name, following in zip(names, [*names[1:], ""], strict=True):
        _, _, rest = said.partition(_MARK % name.encode())
        content = rest.partition(_MARK % following.encode())[0] if following else rest
        if content:
            found[name] = content
    return found
