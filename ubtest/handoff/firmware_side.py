"""What U-Boot holds at the moment when it hands over, as the files of a survey."""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ubtest.errors import FirmwareError
from ubtest.formats.fdt import MAGIC
from ubtest.lab.board import Board
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.memory import read_memory
from ubtest.lab.uboot import UBootConsoleDriver

HOME = "uboot/"
TREE = f"{HOME}fdt"
CONFIG = f"{HOME}pci/"

# Name in the survey -> the command that shows it. One that a build lacks is left out
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "version": "version",
        "environment": "printenv",
        "memmap": "efidebug memmap",
        "tables": "efidebug tables",
        "handles": "efidebug dh",
        "esrt": "efidebug capsule esrt",
        "smbios": "smbios",
        "variables": "printenv -e",
        "pci": "pci *",
        "bdinfo": "bdinfo",
    }
)
_HEADER = 0x28
_DEVICE = re.compile(r"^(?P<name>[0-9a-f]{2}\.[0-9a-f]{2}\.[0-9a-f]{2}) +0x", re.MULTILINE)
_WORDS = re.compile(r"^[0-9a-f]{8}: ((?:[0-9a-f]{8} ?)+)", re.MULTILINE)
_CONFIG_WORDS = 64  # all that is not extended: 256 bytes


def gather(board: Board, tree: int) -> dict[str, bytes]:
    """Ask all of it; nothing is changed but that the EFI subsystem and PCI are up afterwards.

    :param tree: address of the device tree that is handed over.
    :raises FirmwareError: there is no device tree, or a command that ran gave nothing.
    """
    found = {TREE: read_tree(board, tree)}
    for name, command in COMMANDS.items():
        reply = board.uboot.command(command, timeout=30)
        if not reply.status:
            found[HOME + name] = reply.text.encode()
    for device in _DEVICE.findall(found.get(f"{HOME}pci", b"").decode()):
        found[CONFIG + _linux_name(device)] = _config(board.uboot, device)
    return found


def read_tree(board: Board, address: int) -> bytes:
    """The device tree in the board's memory, without the room behind it.

    :raises FirmwareError: there is none.
    """
    header = read_memory(board, address, _HEADER)
    magic, _, tree, strings, *_, strings_size, tree_size = struct.unpack(">10I", header)
    if magic != MAGIC:
        raise FirmwareError(f"there is no device tree at {address:#x}: {header[:8].hex(' ')}")
    size = max(tree + tree_size, strings + strings_size)
    data = read_memory(board, address, size)
    return data[:4] + struct.pack(">I", size) + data[8:]


def _config(uboot: UBootConsoleDriver, device: str) -> bytes:
    text = uboot.check(f"pci display.l {device} 0 {_CONFIG_WORDS:x}")
    words = [int(word, 16) for line in _WORDS.findall(text) for word in line.split()]
    if len(words) != _CONFIG_WORDS:
        raise FirmwareError(f"`pci display` shows {len(words)} words of {device}: {text}")
    return struct.pack(f"<{_CONFIG_WORDS}I", *words)


def _linux_name(device: str) -> str:
    bus, slot, function = device.split(".")
    return f"0000:{bus}:{slot}.{int(function, 16)}"


@dataclass(frozen=True)
class WatchedBoot(LinuxBoot):
    """A boot of Linux that keeps what U-Boot held right before it.

    :param board: the one that is booted.
    :param held: is filled by it.
    """

    board: Board | None = None
    held: dict[str, bytes] | None = None

    def look(self, uboot: UBootConsoleDriver, tree: str) -> None:
        if self.board is not None and self.held is not None:
            self.held.update(gather(self.board, int(uboot.check(f"echo {tree}"), 16)))
