"""U-Boot's boot menu (cmd/bootmenu.c): entries of the environment, then those of UEFI."""

import re
from collections.abc import Sequence

from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.uefi.menu import Menu

_OURS = re.compile(r"^(bootmenu_\w+|ran)=", re.MULTILINE)
TITLE = "*** U-Boot Boot Menu ***"


class BootMenu(Menu):
    """The menu that the command `bootmenu` draws.

    :param delay: seconds until the default is taken; -1 waits for a key; None is what
        `bootmenu_delay` or the configuration says.
    """

    def __init__(
        self,
        uboot: UBootConsoleDriver,
        delay: int | None = -1,
        *,
        rows: int = 24,
        columns: int = 80,
        timeout: float = 5,
    ) -> None:
        words = ["bootmenu", *([] if delay is None else [str(delay)])]
        if "-e" in uboot.command("help bootmenu").text:  # newer ones show UEFI's entries when asked
            words.insert(1, "-e")
        super().__init__(uboot, " ".join(words), rows=rows, columns=columns, timeout=timeout)


def define(uboot: UBootConsoleDriver, *titles_and_commands: tuple[str, str]) -> None:
    """Make entries of the environment: `bootmenu_0`, `bootmenu_1` and so on.

    :param titles_and_commands: neither with a single quote, a title without an equals sign.
    """
    for number, (title, command) in enumerate(titles_and_commands):
        uboot.check(f"setenv bootmenu_{number} '{title}={command}'")


def undefine(uboot: UBootConsoleDriver) -> None:
    """Take out of the environment what :func:`define` and :func:`marking` put there."""
    for name in _OURS.findall(uboot.check("printenv")):
        uboot.check(f"setenv {name}")


def marking(titles: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Entries whose commands leave a mark: which one ran is what :func:`ran` says."""
    return tuple((title, f"setenv ran ${{ran}}{n},") for n, title in enumerate(titles))


def ran(uboot: UBootConsoleDriver) -> list[int]:
    """The numbers of the entries of :func:`marking` that ran, in that order."""
    marks = uboot.check("echo ran=$ran").partition("=")[2]
    return [int(mark) for mark in marks.split(",") if mark]
