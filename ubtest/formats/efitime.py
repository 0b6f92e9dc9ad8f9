"""EFI_TIME, the calendar time of firmware (UEFI 2.10 section 8.3.1)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.record import S16, U8, U16, U32, Record


@dataclass(frozen=True)
class EfiTime(Record):
    """A moment as firmware writes it; all zero when the board has no clock.

    :param time_zone: minutes that local time is behind UTC; 2047 when unknown.
    :param daylight: bit 0: the zone has daylight saving time, bit 1: it is in effect.
    """

    spec_name = "EFI_TIME"

    year: Annotated[int, U16("Year")] = 0
    month: Annotated[int, U8("Month")] = 0
    day: Annotated[int, U8("Day")] = 0
    hour: Annotated[int, U8("Hour")] = 0
    minute: Annotated[int, U8("Minute")] = 0
    second: Annotated[int, U8("Second")] = 0
    pad1: Annotated[int, U8("Pad1")] = 0
    nanosecond: Annotated[int, U32("Nanosecond")] = 0
    time_zone: Annotated[int, S16("TimeZone")] = 0
    daylight: Annotated[int, U8("Daylight")] = 0
    pad2: Annotated[int, U8("Pad2")] = 0

    def __str__(self) -> str:
        return (
            f"{self.year:04}-{self.month:02}-{self.day:02} "
            f"{self.hour:02}:{self.minute:02}:{self.second:02}"
        )
