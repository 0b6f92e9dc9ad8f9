"""USB as a live U-Boot sees it: the tree of its buses, and its sticks with what EFI has of them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from ubtest.formats.devpath_from_text import path_of
from ubtest.formats.devpath_text import MEDIA, MESSAGING, Node, path_text
from ubtest.formats.record import FormatError
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.uefi import driver_model
from ubtest.uefi.handles import Handle, handles
from ubtest.uefi.storage import partitions

MASS_STORAGE = "usb_mass_storage"  # U-Boot's driver
USB_NODES = ((MESSAGING, 5), (MESSAGING, 15))  # UEFI 2.10 sections 10.3.4.5 and 10.3.4.8
PORT_NODE, HARD_DRIVE, CDROM = (MESSAGING, 5), (MEDIA, 1), (MEDIA, 2)

_DEVICE = re.compile(r"^[ |+\b-]*(?P<number>\d+)  (?P<kind>[^(\n]*) \((?P<speed>[^,]*),")
_STORAGE = re.compile(r"^ *Device (\d+): Vendor:", re.MULTILINE)


@dataclass(frozen=True)
class BusDevice:
    """One device of a bus, as `usb tree` shows it.

    :param kind: "Hub", "Mass Storage".
    :param speed: "12 Mb/s".
    :param name: manufacturer, product and serial number.
    """

    number: int
    kind: str
    speed: str
    name: str


@dataclass(frozen=True)
class Stick:
    """One unit (LUN) of a stick, as the EFI subsystem has it.

    :param disk: the handle of the whole.
    :param partitions: the handles of its partitions.
    """

    disk: Handle
    partitions: tuple[Handle, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return path_of(self.disk.path)

    @property
    def controller(self) -> str:
        """The text of the path up to its first USB node."""
        return path_text(tuple(takewhile(lambda node: not _is_usb_node(node), self.nodes)))

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of each hub on the way, from the controller's own hub on."""
        found = [node.body[0] for node in self.nodes if (node.kind, node.subtype) == PORT_NODE]
        return tuple(found[1:])  # the first is that hub itself


def rescan(uboot: UBootConsoleDriver) -> str:
    """Let U-Boot forget its buses and look again, which is how it sees what was plugged."""
    said: str = uboot.check("usb reset", timeout=60)
    return said


def bus_tree(uboot: UBootConsoleDriver) -> tuple[BusDevice, ...]:
    """All devices of all buses, each before those behind it."""
    return parse_tree(uboot.check("usb tree", timeout=30))


def parse_tree(text: str) -> tuple[BusDevice, ...]:
    """What ``usb tree`` printed (cmd/usb.c, usb_show_tree_graph)."""
    lines = [line.replace("\\x08", "\b") for line in text.splitlines()]
    found = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        row = _DEVICE.match(line)
        if row:
            name = following.strip(" |\b").strip()
            found.append(BusDevice(int(row["number"]), row["kind"], row["speed"], name))
    return tuple(found)


def storage_numbers(uboot: UBootConsoleDriver) -> tuple[int, ...]:
    """The numbers of the disks in U-Boot's commands: `usb 0`."""
    return tuple(int(number) for number in _STORAGE.findall(uboot.command("usb storage").text))


def sticks(found: Iterable[Handle]) -> tuple[Stick, ...]:
    """The sticks among handles, those of one path together.

    :raises FormatError: a path of another form than the firmware writes.
    """
    on_usb = [handle for handle in found if _is_usb(handle)]
    disks = [handle for handle in on_usb if not _is_partition(handle)]
    return tuple(
        Stick(disk, tuple(each for each in on_usb if each.path.startswith(f"{disk.path}/")))
        for disk in disks
    )


def _is_usb(handle: Handle) -> bool:
    try:
        nodes = path_of(handle.path)
    except FormatError:  # of something else, in a form that is not known here
        return False
    return any(_is_usb_node(node) for node in nodes)


def _is_usb_node(node: Node) -> bool:
    return (node.kind, node.subtype) in USB_NODES


def _is_partition(handle: Handle) -> bool:
    last = path_of(handle.path)[-1]
    return (last.kind, last.subtype) in (HARD_DRIVE, CDROM)


def disagreements(uboot: UBootConsoleDriver) -> list[str]:
    """Where EFI's handles, the driver model and the partition tables differ about sticks, in
    words; empty when nothing is missing and nothing is left behind."""
    found = [each for each in handles(uboot) if _is_usb(each)]
    model = driver_model.below(driver_model.devices(uboot), MASS_STORAGE)
    bound = Counter(each.name for each in model if each.kind in ("blk", "partition"))
    said = Counter(each.device for each in found)
    wrong = [
        f"{name}: EFI has {said[name]}, the driver model {bound[name]}"
        for name in sorted(said | bound)
        if said[name] != bound[name]
    ]
    tables = Counter(
        part.node
        for number in storage_numbers(uboot)
        for part in partitions(uboot, f"usb {number}")
    )
    nodes = Counter(str(path_of(each.path)[-1]) for each in found if _is_partition(each))
    wrong += [
        f"{node}: EFI has {nodes[node]}, the partition tables {tables[node]}"
        for node in sorted(nodes | tables)
        if nodes[node] != tables[node]
    ]
    twice = Counter(each.path for each in found)
    return wrong + [f"{path}: {count} handles" for path, count in twice.items() if count > 1]
