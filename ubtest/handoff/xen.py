"""One boot of Xen: what U-Boot held, what Xen found, and what dom0 got."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields

from ubtest.errors import CaseError, FirmwareError
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.fdt import parse
from ubtest.formats.iomem import SYSTEM_RAM, Resource, parse_iomem
from ubtest.formats.memory_map import Region, of_uboot
from ubtest.formats.record import FormatError
from ubtest.formats.xen import XenLog, parse_info, parse_log
from ubtest.handoff import guest
from ubtest.handoff.firmware_side import HOME, TREE, read_tree
from ubtest.handoff.spans import Spans
from ubtest.handoff.survey import Survey
from ubtest.kernel import rootfs, xen
from ubtest.lab.board import Board
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.lab.xen_boot import XenBoot, started
from ubtest.media.disk import MiB

XL = f"chroot {guest.ROOT} {xen.XL}"
MAP = f"{HOME}memmap"
LOG, INFO, TOLD = "xen/dmesg", "xen/info", "xen/told"

_PREPARE = f"modprobe -a {' '.join(xen.MODULES)} && mount -t xenfs xenfs /proc/xen"
_ASKED = re.compile(r"\bdom0_mem=(\d+)M\b")


@dataclass(frozen=True)
class XenHandoff:
    """All that is known about one boot of Xen.

    :param prompt: U-Boot's memory map right before it.
    :param before: the device tree that U-Boot handed over.
    :param log: what Xen said while it started.
    :param info: ``xl info``.
    :param asked: bytes that dom0 shall have.
    :param sizes: of the files that xen.cfg names, by Xen's kind of module.
    :param iomem: dom0's.
    :param after: dom0's device tree.
    :param dmesg: of dom0's kernel.
    """

    prompt: tuple[Region, ...]
    before: DeviceTree
    log: XenLog
    info: Mapping[str, str]
    asked: int
    sizes: Mapping[str, int]
    iomem: tuple[Resource, ...]
    after: DeviceTree
    dmesg: str

    @classmethod
    def read(cls, survey: Survey) -> "XenHandoff":
        """What :func:`dom0` gathered, or a file of it.

        :raises FirmwareError: Xen or a tree says something that cannot be read.
        """
        told = json.loads(survey.files[TOLD])
        try:
            return cls(
                of_uboot(survey.text(MAP)),
                parse(survey.files[TREE]),
                parse_log(survey.text(LOG)),
                parse_info(survey.text(INFO)),
                told["dom0_mem"],
                told["sizes"],
                parse_iomem(survey.text("proc/iomem")),
                parse(survey.files["fdt"]),
                survey.text("dmesg"),
            )
        except FormatError as error:
            raise FirmwareError(f"this handoff to Xen cannot be judged: {error}") from error

    @property
    def ram(self) -> Spans:
        """What Xen takes as memory."""
        return Spans.of(self.log.ram)

    @property
    def dom0(self) -> Spans:
        """What it gave to dom0."""
        return Spans.of(self.log.dom0)

    @property
    def dom0_ram(self) -> Spans:
        """What dom0's kernel uses as memory."""
        return Spans.of((r.start, r.end) for r in self.iomem if r.name == SYSTEM_RAM)

    @property
    def free(self) -> Spans:
        """What was free at U-Boot's prompt."""
        return Spans.of((each.start, each.end) for each in self.prompt if each.usable)


@dataclass(frozen=True)
class WatchedXen(XenBoot):
    """A boot of Xen, of a board with xl's disk, that keeps what U-Boot held right before it.

    :param board: the one that is booted.
    :param held: is filled by it.
    """

    board: Board | None = None
    held: dict[str, bytes] | None = None

    def start(
        self, uboot: UBootConsoleDriver, partition: str, find: str, arguments: str, place: int
    ) -> None:
        super().start(uboot, guest.PARTITION, find, arguments, place)

    def look(self, uboot: UBootConsoleDriver, tree: str) -> None:
        if self.board is not None and self.held is not None:
            address = int(uboot.check(f"echo {tree}"), 16)
            self.held[TREE] = read_tree(self.board, address)
            self.held[MAP] = uboot.check("efidebug memmap", timeout=30).encode()


@contextmanager
def dom0(board: Board, boot: XenBoot) -> Iterator[tuple[LinuxShellDriver, Survey]]:
    """Start Xen on a board that is off, and look at all sides; dom0's shell lives as long as the
    block, and `XL` runs in it.

    :raises HostError: the root file system with Xen is not in the cache; names the command.
    :raises CaseError: Xen's options do not say what dom0 shall have, or as :func:`started`.
    """
    asked = _ASKED.search(boot.options)
    if asked is None:
        raise CaseError(
            f"Xen's options `{boot.options}` do not say how much memory dom0 has",
            next_step="add dom0_mem=512M",
        )
    sizes = {"Kernel": boot.kernel.image, "Ramdisk": boot.kernel.initrd}
    told = {
        "dom0_mem": int(asked[1]) * MiB,
        "sizes": {k: p.stat().st_size for k, p in sizes.items()},
    }
    same = {each.name: getattr(boot, each.name) for each in fields(boot)}
    held = {TOLD: json.dumps(told).encode()}
    guest.attach(board, rootfs.find(xen.ROOT))
    with started(board, WatchedXen(**same, board=board, held=held)) as shell:
        guest.enter(shell)
        shell.check(_PREPARE)
        yield shell, Survey({**held, **_gather(shell)})


def _gather(shell: LinuxShellDriver) -> dict[str, bytes]:
    said = {
        LOG: f"{XL} dmesg",
        INFO: f"{XL} info",
        "proc/iomem": "cat /proc/iomem",
        "fdt": "cat /sys/firmware/fdt",
        "dmesg": "dmesg",
    }
    return {name: shell.run(line, 60).output for name, line in said.items()}
