"""U-Boot's devices as its driver model has them (`dm tree`)."""

import re
from dataclasses import dataclass

from ubtest.lab.uboot import UBootConsoleDriver

_ROW = re.compile(
    r"^ (?P<kind>\S+) +(?P<sequence>\d+) +\[ (?P<probed>[+ ]) \] +(?P<driver>\S+) +"
    r"(?P<branch>[|` ]*(?:-- )?)(?P<name>\S.*)$",
    re.MULTILINE,
)
_STEP = 4  # characters of a branch for each generation


@dataclass(frozen=True)
class Device:
    """One bound device.

    :param kind: its uclass, of which ten letters are shown.
    :param probed: its driver runs.
    :param depth: generations below the root.
    """

    kind: str
    driver: str
    name: str
    probed: bool
    depth: int


def devices(uboot: UBootConsoleDriver) -> tuple[Device, ...]:
    """All bound devices, each before its children."""
    return parse_devices(uboot.check("dm tree", timeout=30))


def parse_devices(text: str) -> tuple[Device, ...]:
    """What ``dm tree`` printed (drivers/core/dump.c)."""
    return tuple(
        Device(
            row["kind"],
            row["driver"],
            row["name"].rstrip(),
            row["probed"] == "+",
            len(row["branch"]) // _STEP,
        )
        for row in _ROW.finditer(text)
    )


def below(found: tuple[Device, ...], driver: str) -> tuple[Device, ...]:
    """The children of all devices that have this driver, and their children."""
    children = []
    top: int | None = None
    for device in found:
        if top is not None and device.depth > top:
            children.append(device)
        else:
            top = device.depth if device.driver == driver else None
    return tuple(children)
