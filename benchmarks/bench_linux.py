"""From QEMU's start to a shell of Linux: through U-Boot's EFI boot manager, against -kernel.

Here: flashes, a disk with the kernel, U-Boot, the EFI stub, the kernel, an exact dialogue. By hand:
the same machine, kernel and initramfs with QEMU's own loader, until the shell's prompt. Both take
turns.
"""

import os
import pty
import select
import subprocess
import time

from board import board_of
from ratio import report
from script import parser, start

from ubtest.kernel.bundle import DEFAULT, KernelBundle, find
from ubtest.lab.board import Board
from ubtest.lab.linux_boot import LinuxBoot

MACHINE = ("-M", "virt,gic-version=3,iommu=smmuv3", "-cpu", "cortex-a57", "-m", "256M")
TARGET = 8.0  # seconds to the shell


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5, help="boots of each (default 5)")
    options.add_argument("--kernel", default=DEFAULT, help="as for pytest (default %(default)s)")
    arguments = options.parse_args()
    kernel = find(arguments.kernel)
    ours, theirs = [], []
    with board_of() as board:
        for _ in range(arguments.rounds):
            ours.append(through_firmware(board, kernel))
            theirs.append(by_hand(kernel))
    print(f"{arguments.rounds} boots of Linux {kernel.release} each by turns, median")
    report(ours, theirs)
    met = sorted(ours)[len(ours) // 2] <= TARGET
    print(f"  target <= {TARGET:g} s to the shell: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def through_firmware(board: Board, kernel: KernelBundle) -> float:
    """Seconds from the start of QEMU to a shell that has answered."""
    board.machine.renew()
    board.insert(LinuxBoot(kernel))
    began = time.perf_counter()
    board.linux(LinuxBoot(kernel)).check("true")
    took = time.perf_counter() - began
    board.off()
    return took


def by_hand(kernel: KernelBundle) -> float:
    """Seconds from the start of QEMU to the shell's prompt, with as little as it takes."""
    mine, theirs = pty.openpty()
    argv = ["qemu-system-aarch64", "-nodefaults", "-display", "none", "-nic", "none", *MACHINE]
    argv += ["-kernel", str(kernel.image), "-initrd", str(kernel.initrd)]
    argv += ["-append", "console=ttyAMA0", "-serial", "stdio"]
    began = time.perf_counter()
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs) as process:
        try:
            seen = b""
            while b"# \x1b[6n" not in seen:
                if not select.select([mine], [], [], 60)[0]:
                    raise TimeoutError(f"QEMU is silent after {seen[-200:]!r}")
                seen += os.read(mine, 4096)
            return time.perf_counter() - began
        finally:
            process.kill()
            os.close(theirs)
            os.close(mine)


if __name__ == "__main__":
    start(main)
