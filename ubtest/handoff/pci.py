"""PCI as the firmware left it, and what the kernel made of it."""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ubtest.formats.device_node import rows
from ubtest.formats.device_tree import DeviceTree
from ubtest.handoff.finding import Finding
from ubtest.handoff.firmware_side import CONFIG
from ubtest.handoff.spans import Span, Spans
from ubtest.handoff.survey import Survey

SAME_DEVICES = "the kernel finds the devices that the firmware found"
FOUND = "the kernel reads the BARs and bus numbers that the firmware wrote"
KEPT = "with linux,pci-probe-only each BAR stays where the firmware put it"
PLACED = "each BAR has a place in a window of the host bridge, none over another"
QUIET = "no device may send interrupts before its driver is there"

_HOME = "sys/bus/pci/devices/"
_BRIDGE = 1  # PCI header type
_MEMORY, _IO = "memory", "io"
# 6.2 and before: "reg 0x10: [mem ...]"; later, and Debian's 6.1: "BAR 0 [mem ...]"
_SCANNED = re.compile(
    r"pci (?P<device>\S+): (?:BAR (?P<bar>\d) |reg (?P<at>0x[0-9a-f]+): )"
    r"\[(?P<space>mem|io) +0x(?P<start>[0-9a-f]+)-0x(?P<last>[0-9a-f]+)[^]]*\]$",
    re.MULTILINE,
)
_FIRST_BAR = 0x10
_MSI, _MSIX = 0x05, 0x11  # PCI capabilities


@dataclass(frozen=True)
class Function:
    """One function's configuration header (PCI 3.0 section 6.1).

    :param config: its first 64 bytes or more.
    """

    name: str
    config: bytes

    @property
    def identity(self) -> str:
        vendor, device = struct.unpack_from("<HH", self.config)
        return f"{vendor:04x}:{device:04x}"

    @property
    def is_bridge(self) -> bool:
        return self.config[0x0E] & 0x7F == _BRIDGE

    @property
    def masters(self) -> bool:
        """It may start transfers of its own: Bus Master Enable."""
        return bool(self.config[4] & 4)

    @property
    def buses(self) -> tuple[int, ...]:
        """Primary, secondary and subordinate bus of a bridge."""
        return tuple(self.config[0x18:0x1B]) if self.is_bridge else ()

    @cached_property
    def bars(self) -> dict[int, int]:
        """Address by number of the BAR; none for a BAR that is empty."""
        found, number = {}, 0
        while number < (2 if self.is_bridge else 6):
            (low,) = struct.unpack_from("<I", self.config, _FIRST_BAR + 4 * number)
            wide = low & 7 == 4
            address = low & ~3 if low & 1 else low & ~0xF
            if wide:
                (high,) = struct.unpack_from("<I", self.config, _FIRST_BAR + 4 * number + 4)
                address |= high << 32
            if address:
                found[number] = address
            number += 2 if wide else 1
        return found

    @property
    def interrupts(self) -> dict[str, bool]:
        """MSI and MSI-X, where it has them, and whether they are on. Needs 256 bytes."""
        found, at, seen = {}, self.config[0x34], set[int]()
        while at >= 0x40 and at not in seen and at + 4 <= len(self.config):
            seen.add(at)
            kind, following, control = struct.unpack_from("<BBH", self.config, at)
            if kind == _MSI:
                found["MSI"] = bool(control & 1)
            elif kind == _MSIX:
                found["MSI-X"] = bool(control & 0x8000)
            at = following
        return found


@dataclass(frozen=True)
class Resource:
    """What the kernel gave one BAR.

    :param span: addresses of the CPU, or of I/O space.
    """

    function: str
    bar: int
    space: str
    span: Span


def at_firmware(survey: Survey) -> dict[str, Function]:
    """Every function as U-Boot had it, by the kernel's name; empty where it was not asked."""
    return _functions(survey, CONFIG, "")


def at_kernel(survey: Survey) -> dict[str, Function]:
    """Every function as the kernel has it now."""
    return _functions(survey, _HOME, "/config")


def _functions(survey: Survey, home: str, end: str) -> dict[str, Function]:
    found = {}
    for path in sorted(survey.files):
        if path.startswith(home) and path.endswith(end):
            name = path.removeprefix(home).removesuffix(end)
            found[name] = Function(name, survey.files[path])
    return found


def scanned(log: str) -> dict[str, dict[int, int]]:
    """The BARs that the kernel read when it found a device, before it moved any."""
    found: dict[str, dict[int, int]] = {}
    for row in _SCANNED.finditer(log):
        bar = int(row["bar"]) if row["bar"] else (int(row["at"], 16) - _FIRST_BAR) // 4
        start = int(row["start"], 16)
        if bar < 6 and start:
            found.setdefault(row["device"], {}).setdefault(bar, start)
    return found


def resources(survey: Survey) -> tuple[Resource, ...]:
    """What the kernel gave the BARs (Documentation/ABI, `resource`)."""
    found = []
    for path in sorted(survey.files):
        if path.startswith(_HOME) and path.endswith("/resource"):
            name = path.removeprefix(_HOME).removesuffix("/resource")
            for bar, line in enumerate(survey.lines(path)[:6]):
                start, last, flags = (int(word, 16) for word in line.split())
                if flags:
                    space = _IO if flags & 0x100 else _MEMORY
                    found.append(Resource(name, bar, space, Span(start, last + 1)))
    return tuple(found)


def windows(tree: DeviceTree) -> Mapping[str, Spans]:
    """What the host bridges of a tree let through, by space: I/O counts from their own zero."""
    found: dict[str, list[tuple[int, int]]] = {_MEMORY: [], _IO: []}
    for node in tree.root.walk():
        if node.string("device_type") == "pci" and node.reachable and node.parent:
            above = node.parent.inherited("#address-cells", 1)
            for high, place, size in rows(node, "ranges", 3, above, 2):
                start = high & (1 << 64) - 1
                if (high >> 88) & 3 == 1:
                    found[_IO].append((start, start + size))
                elif (high >> 88) & 3:
                    found[_MEMORY].append((place, place + size))
    return {space: Spans.of(pairs) for space, pairs in found.items()}


def findings(survey: Survey, tree: DeviceTree) -> list[Finding]:
    """Every rule that does not hold.

    :param tree: the device tree that was handed over.
    """
    before, now = at_firmware(survey), at_kernel(survey)
    found = [*_of_placing(survey, tree), *_of_quiet(before)]
    if before:
        found += _of_scan(before, now, survey.text("dmesg"))
        if tree.chosen and tree.chosen.number("linux,pci-probe-only"):
            found += _of_keeping(before, now)
    return found


def _of_scan(before: dict[str, Function], now: dict[str, Function], log: str) -> Iterator[Finding]:
    for name in sorted(before.keys() | now.keys()):
        one, other = (each[name].identity if name in each else "" for each in (before, now))
        if one != other:
            what = f"{name}: {one or 'nothing'} at the prompt, {other or 'nothing'} in the kernel"
            yield Finding(SAME_DEVICES, what)
    read = scanned(log)
    for name, function in before.items():
        if name in now and read and function.bars != (seen := read.get(name, {})):
            yield Finding(FOUND, f"{name}: BARs {_bars(function.bars)}, read {_bars(seen)}")
        if name in now and function.buses != now[name].buses:
            yield Finding(FOUND, f"{name}: buses {function.buses}, now {now[name].buses}")


def _of_keeping(before: dict[str, Function], now: dict[str, Function]) -> Iterator[Finding]:
    for name, function in before.items():
        if name in now and function.bars != now[name].bars:
            what = f"{name}: {_bars(function.bars)}, now {_bars(now[name].bars)}"
            yield Finding(KEPT, what)


def _of_placing(survey: Survey, tree: DeviceTree) -> Iterator[Finding]:
    given = resources(survey)
    allowed = windows(tree)
    for index, each in enumerate(given):
        here = Spans((each.span,))
        if outside := here - allowed[each.space]:
            yield Finding(PLACED, f"{each.function} BAR {each.bar}: {outside} is in no window")
        for other in given[:index]:
            if other.space == each.space and other.span.meets(each.span):
                yield Finding(
                    PLACED,
                    f"{each.function} BAR {each.bar} at {each.span} and {other.function} BAR "
                    f"{other.bar} at {other.span}",
                )


def _of_quiet(before: dict[str, Function]) -> Iterator[Finding]:
    for name, function in before.items():
        on = [kind for kind, is_on in function.interrupts.items() if is_on]
        if on:
            yield Finding(QUIET, f"{name}: the firmware left {' and '.join(on)} on")


def _bars(bars: Mapping[int, int]) -> str:
    return ", ".join(f"{number} {address:#x}" for number, address in bars.items()) or "none"
