"""Where U-Boot writes an image to: the alternate settings that `dfu_alt_info` declares."""

import re
from dataclasses import dataclass

from ubtest.lab.uboot import UBootConsoleDriver

_ALT = re.compile(
    r"^dev: (?P<device>\S+) alt: (?P<number>\d+) name: (?P<name>\S+) layout: (?P<layout>\S+)$",
    re.MULTILINE,
)
_MTD_PARTS = re.compile(r'^[\\t\s]+- 0x([0-9a-f]+)-0x([0-9a-f]+) : "(\S+)"$', re.MULTILINE)
_PART = re.compile(r"(?:^|[=;])(?P<name>[\w.-]+) part\w* (?P<number>\d+)")
_RAW = re.compile(r"(?:^|[=;])(?P<name>[\w.-]+) raw (?:0x)?[0-9a-f]+ (?:0x)?(?P<size>[0-9a-f]+)")


@dataclass(frozen=True)
class Alternate:
    """One place; image N goes to number N - 1 (efi_firmware_raw_set_image).

    :param size: bytes that it holds; None where U-Boot does not say.
    """

    number: int
    name: str
    device: str
    size: int | None = None


def alternates(uboot: UBootConsoleDriver) -> tuple[Alternate, ...] | None:
    """What ``dfu list`` shows, which makes `dfu_alt_info` as an update does (set_dfu_alt_info);
    None when there is no such command."""
    reply = uboot.command("dfu list", 30)
    if "Unknown command" in reply.text or "Usage:" in reply.text:
        return None
    declared = uboot.command("printenv dfu_alt_info").text
    return parse_alternates(reply.text, declared, uboot.command("mtd list").text)


def parse_alternates(listed: str, declared: str, flash: str) -> tuple[Alternate, ...]:
    """The alternates that were listed, with their sizes where they are known.

    :param declared: the variable `dfu_alt_info` (doc/usage/dfu.rst).
    :param flash: what ``mtd list`` printed.
    """
    sizes = {name: int(end, 16) - int(start, 16) for start, end, name in _MTD_PARTS.findall(flash)}
    raw = {row["name"]: int(row["size"], 16) for row in _RAW.finditer(declared)}
    found = []
    for row in _ALT.finditer(listed):
        size = raw.get(row["name"]) if row["device"] in ("MTD", "SF", "RAM") else None
        if row["device"] == "MTD" and row["name"] in {m["name"] for m in _PART.finditer(declared)}:
            size = sizes.get(row["name"])
        found.append(Alternate(int(row["number"]), row["name"], row["device"], size))
    return tuple(found)
