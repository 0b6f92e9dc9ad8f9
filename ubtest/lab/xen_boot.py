"""How U-Boot starts Xen, and Xen a Linux as dom0."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ubtest.errors import CaseError, KernelCrash, UbtestError
from ubtest.kernel import xen
from ubtest.lab.board import Board
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.linux_boot import BOOT_OPTION, IMAGE, INITRD, LinuxBoot
from ubtest.lab.uboot import UBootConsoleDriver

XEN, CONFIGURATION = "xen.efi", "xen.cfg"
# The ring of messages begins with the memory that Xen found; by default it may be too small
XEN_OPTIONS = "console=dtuart loglvl=all conring_size=64k"
# Debian's Xen 4.17 leaves the ITS to nobody: dom0 has no MSI, and Linux would warn at length
DOM0_ARGUMENTS = "console=hvc0 pci=nomsi"

# Xen hands what is typed to dom0 through a ring of 128 bytes (xen/drivers/char/console.c,
# SERIAL_RX_SIZE) and drops what does not fit: so much at once, then a pause of so many seconds
_CHUNK, _DELAY = 8, 0.02

_BANNER = re.compile(r"Xen [\d.]+.* EFI loader")
_CONFIGURED = re.compile(r"Using configuration file '[^']*'")
_RETURNED = re.compile(r"^END\d+=", re.MULTILINE)  # the marker of ubtest.console.session
_PANIC = re.compile(r"\(XEN\) Panic on CPU \d+:\s*\(XEN\) (?P<words>[^\r\n]+)")


@dataclass(frozen=True)
class XenBoot(LinuxBoot):
    """One way to start Xen through the EFI boot manager; `arguments` are those of dom0's kernel.

    :param options: Xen's own, after those that the console needs.
    :param dom0: the file that xen.cfg names as dom0's kernel.
    """

    options: str = "dom0_mem=512M"
    dom0: str = IMAGE

    def files(self) -> dict[str, bytes]:
        told = f"{DOM0_ARGUMENTS} {self.arguments}".strip()
        config = xen.configuration(f"{XEN_OPTIONS} {self.options}", self.dom0, told, INITRD)
        mine = {XEN: xen.hypervisor().read_bytes(), CONFIGURATION: config.encode()}
        return {**mine, **super().files()}

    def _by_bootmgr(self, uboot: UBootConsoleDriver, partition: str, line: str) -> str:
        # Without a command line Xen takes the .cfg beside it; the board's is not for its kernel
        uboot.check(f"efidebug boot add -b {BOOT_OPTION} xen {partition} /{XEN}", timeout=30)
        uboot.check(f"efidebug boot order {BOOT_OPTION}", timeout=30)
        return "bootefi bootmgr"


@contextmanager
def started(board: Board, boot: XenBoot) -> Iterator[LinuxShellDriver]:
    """Start Xen and wait for dom0's shell. All is typed slowly until the block ends.

    :raises CaseError: Xen ran, could not use its configuration and went back to U-Boot; says
        its words.
    :raises KernelCrash: Xen panicked; says its words.
    :raises UbtestError: as :meth:`Board.linux`: Xen was not started, or dom0 died.
    """
    console = board.strategy.console
    before = console.txdelay, getattr(console, "txchunk", 1)
    console.txdelay, console.txchunk = _DELAY, _CHUNK
    try:
        yield _started(board, boot)
    finally:
        console.txdelay, console.txchunk = before


def _started(board: Board, boot: XenBoot) -> LinuxShellDriver:
    try:
        return board.linux(boot)
    except UbtestError as error:
        said = board.uboot.transcript.tail(1000)
        banners = [*_BANNER.finditer(said)]
        after = said[banners[-1].end() :] if banners else ""
        if panic := _PANIC.search(after):
            raise KernelCrash(
                f"Xen panicked: {panic['words']}",
                next_step="compare dom0_mem with the board's memory, and Xen's lines on RAM with "
                "the firmware's memory map",
                tail=error.tail,
            ) from error
        if back := _RETURNED.search(after):
            words = _CONFIGURED.sub("", after[: back.start()]).strip(" :\n")
            raise CaseError(
                f"Xen ran and went back to U-Boot: {words}",
                next_step=f"look at {CONFIGURATION} and at the files that it names",
                tail=error.tail,
            ) from error
        raise
