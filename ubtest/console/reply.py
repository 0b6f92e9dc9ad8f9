"""What one console command answered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ubtest.console.transcript import printable

# U-Boot: lib/efi_loader/efi_console.c, query_console_serial
SIZE_DIALOGUE = re.compile(rb"\x1b7\x1b\[r\x1b\[999;999H\x1b\[6n\x1b8")


@dataclass(frozen=True)
class Reply:
    """What one console command answered.

    :param output: the lines between the echoed command and the end marker, as raw bytes.
    :param status: U-Boot's ``$?``; None when the firmware reset instead of returning.
    """

    command: str
    output: bytes
    status: int | None

    def __iter__(self) -> Iterator[Any]:
        """As labgrid unpacks what a command answered: stdout lines, stderr lines, exit code."""
        return iter((self.lines, [], self.status or 0))

    @property
    def reset(self) -> bool:
        return self.status is None

    @property
    def lines(self) -> list[str]:
        """The output line by line, safe to print; empty lines are kept.

        Without the query for the terminal's size, which comes before the answer of the command
        that starts EFI.
        """
        return printable(SIZE_DIALOGUE.sub(b"", self.output).replace(b"\r", b"")).splitlines()

    @property
    def text(self) -> str:
        """The output without the empty lines around it."""
        return "\n".join(self.lines).strip("\n")
