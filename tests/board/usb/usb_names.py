"""How the USB tests call what they boot, and where a stick is."""

from ubtest.lab.board import Board
from ubtest.uefi import variables

ENTRY = 0x20
SUPER_SPEED_PORTS = 4  # of QEMU's controller; the slower ones come after them


def only(board: Board) -> None:
    """Let BootOrder be Boot0020 alone; the firmware adds its own for each stick that it finds."""
    variables.write(board.uboot, "BootOrder", ENTRY.to_bytes(2, "little"))


def as_seen(port: str) -> tuple[int, ...]:
    """The ports on the way to a stick, as the controller numbers them; a hub of QEMU is slow."""
    first, *rest = (int(number) for number in port.split("."))
    return (first + SUPER_SPEED_PORTS if rest else first, *rest)
