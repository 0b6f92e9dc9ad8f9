"""Where the images of a FIT go on each board's variant `fit`, and what must be there."""

from dataclasses import dataclass

OLD = b"old firmware, " * 4000


@dataclass(frozen=True)
class Place:
    """A name in `dfu_alt_info` and where it leads.

    :param size: bytes that an update of a small image erases.
    """

    name: str
    offset: int
    size: int

    @property
    def region(self) -> slice:
        return slice(self.offset, self.offset + self.size)

    def holds(self, changed: range) -> bool:
        return self.offset <= changed.start < changed.stop <= self.offset + self.size


# Kconfig symbol -> the two places of that board's variant `fit`
PLACES = {
    "TARGET_QEMU_ARM_64BIT": (  # boards/qemu-arm64+fit.config, MTDPARTS_NOR0
        Place("fw", 0x3000000, 0x40000),
        Place("second", 0x3100000, 0x40000),
    ),
    "SANDBOX": (  # board/sandbox/sandbox.c, update_info
        Place("u-boot-bin", 0x100000, 0x10000),
        Place("u-boot-env", 0x150000, 0x10000),
    ),
}


def assert_holds(flash, written: dict[Place, bytes]) -> None:
    """These places hold these bytes and erased ones behind them; all else is as it was."""
    for place, data in written.items():
        assert flash.now[place.region] == data.ljust(place.size, b"\xff")
    assert [
        changed for changed in flash.changes if not any(place.holds(changed) for place in written)
    ] == []


def assert_refused(outcome, flash, status: int) -> None:
    assert flash.changes == []
    assert outcome.status == status
    assert outcome.files == ()
    assert not outcome.requested


def flip(data: bytes, marker: bytes) -> bytes:
    """One bit turned over in the first byte of what is marked."""
    at = data.index(marker)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
