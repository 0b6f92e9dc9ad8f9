"""labgrid drivers and the strategy: `imports: [ubtest.lab]` in a board file registers them."""

from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.qemu import QEMUMachineDriver
from ubtest.lab.sandbox import SandboxMachineDriver
from ubtest.lab.strategy import BoardStrategy
from ubtest.lab.uboot import UBootConsoleDriver

__all__ = [
    "BoardStrategy",
    "LinuxShellDriver",
    "QEMUMachineDriver",
    "SandboxMachineDriver",
    "UBootConsoleDriver",
]
