"""PCI host bridges of a tree, and the functions behind them by address."""

import re
from dataclasses import dataclass

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.record import FormatError

_ADDRESS = re.compile(
    r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])", re.IGNORECASE
)


@dataclass(frozen=True, order=True)
class PciAddress:
    """Domain, bus, device and function.

    :param domain: None where the only host bridge is meant.
    """

    domain: int | None
    bus: int
    device: int
    function: int

    @classmethod
    def parse(cls, text: str) -> "PciAddress":
        """ "0000:00:03.0" or "00:03.0", as lspci writes them.

        :raises FormatError: it is no such address.
        """
        match = _ADDRESS.fullmatch(text)
        if not match or int(match[3], 16) > 0x1F:
            raise FormatError(f"{text!r} is no PCI address: write it as lspci does, 00:03.0")
        domain = int(match[1], 16) if match[1] else None
        return cls(domain, *(int(match[number], 16) for number in (2, 3, 4)))

    @classmethod
    def of(cls, domain: int, number: int) -> "PciAddress":
        """From the PCI Express requester ID."""
        return cls(domain, number >> 8, number >> 3 & 0x1F, number & 7)

    @property
    def number(self) -> int:
        """The PCI Express requester ID."""
        return self.bus << 8 | self.device << 3 | self.function

    def __str__(self) -> str:
        domain = f"{self.domain:04x}:" if self.domain is not None else ""
        return f"{domain}{self.bus:02x}:{self.device:02x}.{self.function}"


@dataclass(frozen=True)
class PciHost:
    """One enabled host bridge.

    :param domain: `linux,pci-domain`; else its place among those without, in the kernel's order.
    """

    node: DeviceNode
    domain: int
    first_bus: int
    last_bus: int


def is_pci(node: DeviceNode) -> bool:
    return node.string("device_type") == "pci"


def hosts(tree: DeviceTree) -> tuple[PciHost, ...]:
    """The host bridges that the kernel would start, in the tree's order."""
    found, counted = list[PciHost](), 0
    for node in tree.root.walk():
        above = node.parent or node
        if not is_pci(node) or is_pci(above) or not node.reachable:
            continue
        domain = node.number("linux,pci-domain")
        if domain is None:
            domain, counted = counted, counted + 1
        buses = node.cells("bus-range")
        first, last = buses[:2] if len(buses) >= 2 else (0, 0xFF)
        found.append(PciHost(node, domain, first, last))
    return tuple(found)
