"""How U-Boot starts a Linux: the medium, and what is typed at its prompt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ubtest.errors import CaseError
from ubtest.kernel.bundle import KernelBundle
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.media.disk import DEFAULT, Disk, MiB, build_disk

IMAGE, INITRD = "Image", "initrd.gz"
CONTROL_TREE = "${fdtcontroladdr}"
UNUSED_BY_EFI = "${kernel_addr_r}"  # EFI takes memory from the top
TREE_ROOM = 0x10000  # bytes for what is added to the tree; QEMU's own has 1 MiB
BOOT_OPTION = 1  # Boot0001


@dataclass(frozen=True)
class LinuxBoot:
    """One way to start a kernel.

    :param through: the EFI boot manager, or `booti`, after which there is no EFI.
    :param arguments: of the kernel, after the board file's own.
    :param tree: U-Boot commands that edit a copy of the device tree, which is then handed over:
        ``fdt rm /pcie@10000000 iommu-map``. None are needed for the tree as it is.
    :param commands: U-Boot commands before all that: ``setenv ethaddr 52:54:00:12:34:56``.
    """

    kernel: KernelBundle
    through: Literal["bootmgr", "booti"] = "bootmgr"
    arguments: str = ""
    tree: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def medium(self, path: Path) -> Disk:
        """Make the disk with what is started, to be attached before all others."""
        files = self.files()
        content = sum(map(len, files.values()))
        return build_disk(path, files, size=max(DEFAULT, (content * 5 // 4 // MiB + 8) * MiB))

    def files(self) -> dict[str, bytes]:
        """What is on the disk: kernel and initramfs."""
        return {IMAGE: self.kernel.image.read_bytes(), INITRD: self.kernel.initrd.read_bytes()}

    def start(
        self, uboot: UBootConsoleDriver, partition: str, find: str, arguments: str, place: int
    ) -> None:
        """Type everything; the last command does not return.

        :param partition: the medium's, as U-Boot writes it.
        :param find: the command that makes U-Boot look for it.
        :param arguments: those of every kernel on this board.
        :param place: memory for a copy of the device tree that `booti` leaves alone.
        :raises FirmwareError: a command fails.
        """
        line = f"{arguments} {self.arguments}".strip()
        if "'" in line:
            raise CaseError(f"a kernel's arguments are typed in single quotes: {line}")
        for command in (*self.commands, find):
            uboot.check(command, timeout=30)
        if self.through == "bootmgr":
            handover = self._by_bootmgr(uboot, partition, line)
            tree = self._tree(uboot, UNUSED_BY_EFI)
        else:
            handover = self._by_booti(uboot, partition, line)
            tree = self._tree(uboot, f"{place:#x}")
        self.look(uboot, tree)
        uboot.session.start(f"{handover} {tree}")

    def look(self, uboot: UBootConsoleDriver, tree: str) -> None:
        """Called right before the command that does not return; for those who want to see what is
        handed over.

        :param tree: where the device tree is, as U-Boot's commands take it.
        """

    def _tree(self, uboot: UBootConsoleDriver, place: str) -> str:
        if not self.tree:
            return CONTROL_TREE
        uboot.check(f"fdt addr {CONTROL_TREE}; fdt header get size totalsize")
        uboot.check(f"setexpr size ${{size}} + {TREE_ROOM:#x}")
        uboot.check(f"fdt move {CONTROL_TREE} {place} ${{size}}")
        for edit in self.tree:
            uboot.check(edit)
        return place

    def _by_bootmgr(self, uboot: UBootConsoleDriver, partition: str, line: str) -> str:
        where = f"{partition} /{IMAGE} -i {partition} /{INITRD}"
        uboot.check(f"efidebug boot add -b {BOOT_OPTION} linux {where} -s '{line}'", timeout=30)
        uboot.check(f"efidebug boot order {BOOT_OPTION}", timeout=30)
        return "bootefi bootmgr"

    def _by_booti(self, uboot: UBootConsoleDriver, partition: str, line: str) -> str:
        uboot.check(f"load {partition} ${{kernel_addr_r}} {IMAGE}", timeout=60)
        uboot.check(f"load {partition} ${{ramdisk_addr_r}} {INITRD}", timeout=60)
        uboot.check(f"setenv bootargs '{line}'")
        return "booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize}"
