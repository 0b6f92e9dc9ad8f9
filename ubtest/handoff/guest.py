"""QEMU on the target, from a root file system beside the initramfs: what a user would start."""

from dataclasses import dataclass

from ubtest.console.reply import Reply
from ubtest.errors import CaseError, LabError
from ubtest.kernel.rootfs import RootFs
from ubtest.lab.board import Board
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.media.disk import Disk

ROOT = "/run/root"
QEMU = f"chroot {ROOT} /usr/bin/qemu-system-aarch64"
BUS = "virtio-mmio"  # behind no IOMMU: a fault in the device tree's map must not reach the disk
# U-Boot counts that disk first, so the one with the kernel is the second
PARTITION = "virtio 1:1"
_DISKS = "for d in /sys/block/vd*; do case $(readlink -f $d) in *{}*) echo ${{d##*/}};; esac; done"


@dataclass(frozen=True)
class BesideRoot(LinuxBoot):
    """A boot of a board that also has a root file system's disk."""

    def start(
        self, uboot: UBootConsoleDriver, partition: str, find: str, arguments: str, place: int
    ) -> None:
        super().start(uboot, PARTITION, find, arguments, place)


def attach(board: Board, rootfs: RootFs) -> None:
    """Put a root file system's disk into a board that is off."""
    board.machine.attach(Disk(rootfs.image), BUS, read_only=True)


def enter(shell: LinuxShellDriver) -> None:
    """Mount the root file system at `ROOT`, with the kernel's file systems and the ESP in it.

    :raises LabError: it is not there.
    """
    _must(shell, "modprobe -a virtio_mmio virtio_blk ext4 crc32c_generic")
    disk = _must(shell, _DISKS.format("virtio_mmio")).strip()
    if not disk:
        raise LabError("the target does not see the disk with the root file system")
    _must(shell, f"mkdir -p {ROOT} && mount -t ext4 -o ro /dev/{disk} {ROOT}")
    for name in ("dev", "proc", "sys"):
        _must(shell, f"mount --bind /{name} {ROOT}/{name}")
    _must(shell, f"mount -t tmpfs tmpfs {ROOT}/run && mount -t tmpfs tmpfs {ROOT}/tmp")


def mount_esp(shell: LinuxShellDriver) -> None:
    """Mount the ESP with the kernel in the root file system; it is behind the IOMMU, if there is
    one.

    :raises LabError: it is not there.
    """
    shell.run("modprobe -a virtio_pci")  # built in since 6.12
    _must(shell, "modprobe -a vfat nls_cp437 nls_ascii")
    disk = _must(shell, _DISKS.format("pci0000")).strip()
    _must(shell, f"mount -t vfat -o ro /dev/{disk}1 {ROOT}/boot")


def passes(shell: LinuxShellDriver, device: str) -> str:
    """Start QEMU with a PCI device and end it before its guest runs: no KVM, some seconds.

    :returns: QEMU's words where it refused the device; empty where it took it.
    """
    line = f"-device vfio-pci,host={device},romfile="
    machine = (
        "-M virt -cpu cortex-a57 -m 64 -S -nodefaults -display none -serial none -monitor stdio"
    )
    reply: Reply = shell.run(f"echo quit | {QEMU} {machine} {line} 2>&1", timeout=180)
    return reply.text if reply.status else ""


@dataclass(frozen=True)
class Seen:
    """What a guest said about its network card.

    :param values: its lines `UBTEST name value`, by name.
    :param output: all that came from its console and from QEMU.
    """

    values: dict[str, str]
    output: str

    def said(self, name: str) -> str:
        """A value; empty where the guest did not say it."""
        return self.values.get(name, "")

    def number(self, name: str) -> int:
        """A count; -1 where the guest did not say it."""
        return int(self.said(name) or "-1")


def run(shell: LinuxShellDriver, device: str, *, script: str, timeout: float) -> Seen:
    """Run a guest with KVM that has the device, the same kernel, and `script` as its first
    program, until it switches itself off.

    :param script: of the initramfs.
    :param timeout: seconds; a guest inside of an emulated machine is slow.
    """
    kernel = "-kernel /boot/Image -initrd /boot/initrd.gz"
    arguments = f"console=ttyAMA0 rdinit={script} ipv6.disable=1 panic=-1 quiet"
    reply: Reply = shell.run(
        f"timeout {timeout:.0f} {QEMU} -M virt,gic-version=host "
        "-enable-kvm -cpu host -m 512 -nodefaults -no-reboot -display none -monitor none "
        f"-serial stdio -device vfio-pci,host={device},romfile= {kernel} "
        f'-append "{arguments}" 2>&1',
        timeout=timeout + 30,
    )
    words = (line.split(None, 2) for line in reply.text.splitlines())
    told = [w for w in words if len(w) == 3 and w[0] == "UBTEST"]
    return Seen({name: value for _, name, value in told}, reply.text)


def _must(shell: LinuxShellDriver, line: str) -> str:
    """What belongs to the preparation and says nothing about the firmware."""
    reply: Reply = shell.run(line, timeout=60)
    if reply.status:
        raise CaseError(f"`{line}` ended with {reply.status} on the target: {reply.text}")
    return reply.text
