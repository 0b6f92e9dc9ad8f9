"""The memory of a board at U-Boot's prompt."""

import re

from ubtest.errors import FirmwareError
from ubtest.lab.board import Board

_SHOWN = 0x1000  # bytes that `md` is asked for in one command
_HEX = re.compile(r"^[0-9a-f]+: ((?:[0-9a-f]{2} )+)", re.MULTILINE)


def read_memory(board: Board, address: int, size: int) -> bytes:
    """What is there: read behind U-Boot's back where the machine can, else as ``md`` shows it.

    :raises FirmwareError: it shows something else.
    """
    data = board.machine.read_memory(address, size)
    if data is not None:
        return data
    data = b""
    for at in range(0, size, _SHOWN):
        part = min(_SHOWN, size - at)
        text = board.uboot.check(f"md.b {address + at:x} {part:x}", timeout=30)
        data += b"".join(bytes.fromhex(line) for line in _HEX.findall(text))[:part]
    if len(data) != size:
        raise FirmwareError(f"`md` shows {len(data)} bytes of {size}")
    return data
