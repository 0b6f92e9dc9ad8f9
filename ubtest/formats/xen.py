"""What Xen says about itself: its log as ``xl dmesg`` shows it, and ``xl info``."""

import re
from dataclasses import dataclass

from ubtest.formats.record import FormatError

Range = tuple[int, int]  # start, first byte behind it

_PLACE = r"([0-9a-f]{8,16}) - ([0-9a-f]{8,16})"
_RAM = re.compile(rf"^\(XEN\) RAM: {_PLACE}$", re.MULTILINE)
_MODULE = re.compile(rf"^\(XEN\) MODULE\[\d+\]: {_PLACE} (\S.*?) *$", re.MULTILINE)
_KEPT = re.compile(rf"^\(XEN\) +RESVD\[\d+\]: {_PLACE}$", re.MULTILINE)
_BANK = re.compile(r"^\(XEN\) BANK\[\d+\] 0x([0-9a-f]+)-0x([0-9a-f]+) \(\d+MB\)$", re.MULTILINE)
_INFO = re.compile(r"^(\w+) +: (.*?) *$", re.MULTILINE)


@dataclass(frozen=True)
class XenLog:
    """What Xen for arm says of memory while it starts (xen/arch/arm/setup.c, domain_build.c).

    :param ram: what it takes as memory; through EFI, what the memory map leaves free.
    :param modules: what it was given, by kind: "Xen", "Device Tree", "Kernel", "Ramdisk".
    :param kept: what the device tree reserves, as Xen read it.
    :param dom0: dom0's memory.
    """

    ram: tuple[Range, ...]
    modules: dict[str, Range]
    kept: tuple[Range, ...]
    dom0: tuple[Range, ...]


def parse_log(text: str) -> XenLog:
    """Read ``xl dmesg``.

    :raises FormatError: it does not begin with the memory: the ring was too small for it.
    """
    ram = _ranges(_RAM, text)
    if not ram:
        raise FormatError(f"Xen's log names no RAM: {text[:80]!r}")
    modules = {kind: (int(start, 16), int(end, 16)) for start, end, kind in _MODULE.findall(text)}
    dom0 = tuple((int(start, 16), int(end, 16)) for start, end in _BANK.findall(text))
    return XenLog(ram, modules, _ranges(_KEPT, text), dom0)


def parse_info(text: str) -> dict[str, str]:
    """Read ``xl info``.

    :raises FormatError: it says nothing of Xen's version.
    """
    found = dict(_INFO.findall(text))
    if "xen_version" not in found:
        raise FormatError(f"`xl info` names no version: {text[:80]!r}")
    return found


def _ranges(pattern: re.Pattern[str], text: str) -> tuple[Range, ...]:
    """Xen prints the last byte of some ranges and the first behind others."""
    found = ((int(start, 16), int(end, 16)) for start, end in pattern.findall(text))
    return tuple((start, end + end % 2) for start, end in found)
