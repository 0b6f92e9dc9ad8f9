"""The memory of a board at U-Boot's prompt."""

import re

from ubtest.errors import FirmwareError
from ubtest.lab.board import Board
from ubtest.lab.uboot import UBootConsoleDriver

_SHOWN = 0x1000  # bytes that `md` is asked for in one command
_HEX = re.compile(r"^[0-9a-f]+: ((?:[0-9a-f]{2} )+)", re.MULTILINE)


def read_memory(board: Board, address: int, size: int) -> bytes:
    """What is there: read behind U-Boot's back where the machine can, else as ``md`` shows it.

    :raises FirmwareError: it shows something else.
    """
    data = board.machine.read_memory(address, size)
    return shown_memory(board.uboot, address, size) if data is None else data


def shown_memory(uboot: UBootConsoleDriver, address: int, size: int) -> bytes:
    """What is in the board's memory, as ``md`` shows it.

    :raises FirmwareError: it shows something else.
    """
    data = b""
    for at in range(0, size, _SHOWN):
        part = min(_SHOWN, size - at)
        text = uboot.check(f"md.b {address + at:x} {part:x}", timeout=30)
        data += b"".join(bytes.fromhex(line) for line in _HEX.findall(text))[:part]
    if len(data) != size:
        raise FirmwareError(f"`md` shows {len(data)} bytes of {size}")
    return data
