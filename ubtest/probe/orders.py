"""What a test tells the probe: in its image, or in the load options (images/probe/orders.h)."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from ubtest.errors import CaseError

SLOT = b"UBTEST ORDERS:  "
ROOM = 256  # bytes of the slot's words, a zero at the end included
NONCE = re.compile(r"[0-9A-Za-z_-]{1,63}")

Reset = Literal["cold", "warm", "shutdown"]


@dataclass(frozen=True)
class Orders:
    """A nonce to print, and how to end.

    :param nonce: letters that no other test has; a fresh one unless given.
    :param exit: EFI_STATUS to return, written as 64-bit firmware has it.
    :param reset: reset in place of returning.
    :param hang: never come back.
    :raises CaseError: a nonce that the line cannot carry.
    """

    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    exit: int = 0
    reset: Reset | None = None
    hang: bool = False

    def __post_init__(self) -> None:
        if not NONCE.fullmatch(self.nonce):
            raise CaseError(
                f"{self.nonce!r} is not a nonce",
                next_step="use 1 to 63 letters of 0-9, A-Z, a-z, _ and -",
            )

    @property
    def words(self) -> str:
        """As the probe reads them."""
        words = [f"nonce={self.nonce}"]
        if self.hang:
            words.append("hang=1")
        elif self.reset:
            words.append(f"reset={self.reset}")
        else:
            words.append(f"exit={self.exit:x}")
        return " ".join(words)

    @property
    def options(self) -> bytes:
        """As load options, UTF-16 with a zero at the end, the way that everybody writes them."""
        return (self.words + "\0").encode("utf-16-le")


def told(probe: bytes, orders: Orders) -> bytes:
    """The probe with orders in its slot.

    :raises CaseError: the image has no slot, or has two.
    """
    if probe.count(SLOT) != 1:
        raise CaseError(
            f"the image has {probe.count(SLOT)} slots for orders: it is not our probe",
            next_step="take the bytes that ubtest.probe.build.probe() gives",
        )
    start = probe.index(SLOT) + len(SLOT)
    return probe[:start] + orders.words.encode().ljust(ROOM, b"\0") + probe[start + ROOM :]
