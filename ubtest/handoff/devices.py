"""The devices of a target: driver, group, node of the device tree, and what stands on them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ubtest.handoff.survey import PCI, PLATFORM, Survey

_LINK = re.compile(r"(?P<path>/sys/\S+) -> (?P<target>\S+)$")
_PCI_NAME = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_BLOCK = re.compile(r"(?P<number>\d+:\d+) -> (?P<target>\S+)$")
BRIDGES = 0x06  # the class of PCI bridges, its upper byte
NETWORK_ROOTS = {"nfs", "nfs4", "cifs", "9p", "ceph"}


@dataclass(frozen=True)
class Device:
    """A PCI device, or a platform device with a node in the device tree.

    :param identity: vendor and device of PCI, "1234:11e8".
    :param kind: PCI class code, 24 bits.
    :param driver: the driver that has it now.
    :param override: its `driver_override`.
    :param group: its IOMMU group; None where the kernel made none, as before a driver probed it.
    :param path: below /sys/devices, so that one sees what it stands behind.
    :param node: path of its own node, or of its host bridge's.
    """

    name: str
    bus: str
    identity: str = ""
    kind: int = 0
    driver: str | None = None
    override: str | None = None
    group: int | None = None
    path: str = ""
    node: str = ""

    @property
    def is_bridge(self) -> bool:
        return self.bus == "pci" and self.kind >> 16 == BRIDGES

    @property
    def requester(self) -> int:
        """The requester ID of a PCI device: bus, device and function in 16 bits."""
        bus, rest = self.name.split(":")[1:]
        slot, function = rest.split(".")
        return int(bus, 16) << 8 | int(slot, 16) << 3 | int(function)

    @property
    def vfio_driver(self) -> str:
        """The driver that gives it to a user."""
        return f"vfio-{self.bus}"

    @property
    def on_vfio(self) -> bool:
        return bool(self.driver and self.driver.startswith("vfio"))

    def __str__(self) -> str:
        return f"{self.name} ({self.driver or 'no driver'})"


def devices(survey: Survey) -> Mapping[str, Device]:
    """All of them by name, PCI first."""
    links = dict(_links(survey))
    nodes = {
        _last(path.removesuffix("/of_node")): _tree_path(target)
        for path, target in links.items()
        if path.endswith("/of_node")
    }
    found = {}
    for name, said in sorted(_attributes(survey).items()):
        device = _pci(name, links, said)
        bridge = next((part for part in device.path.split("/") if part in nodes), "")
        found[name] = replace(device, node=nodes.get(bridge, ""))
    for name, node in sorted(nodes.items()):
        if name not in found:
            bound = _bound(f"{PLATFORM}/{name}", links)
            found[name] = Device(name, "platform", path=f"platform/{name}", node=node, **bound)
    return found


def _pci(name: str, links: Mapping[str, str], said: Mapping[str, str]) -> Device:
    override = said.get("driver_override", "(null)")
    return Device(
        name=name,
        bus="pci",
        identity=":".join(said.get(key, "").removeprefix("0x") for key in ("vendor", "device")),
        kind=int(said.get("class", "0"), 16),
        override=None if override == "(null)" else override,
        path=links.get(f"{PCI}/{name}", "").partition("devices/")[2],
        **_bound(f"{PCI}/{name}", links),
    )


def _bound(where: str, links: Mapping[str, str]) -> dict[str, Any]:
    """Driver and group of a device."""
    driver, group = links.get(f"{where}/driver"), links.get(f"{where}/iommu_group")
    return {
        "driver": _last(driver) if driver else None,
        "group": int(_last(group)) if group else None,
    }


def needed(survey: Survey, device: Device) -> str:
    """Why a device must not be unbound: what is mounted from it, or nothing."""
    for number, place in _mounted(survey):
        for path in _behind(survey, number):
            if device.name in path.split("/"):
                return f"{place} is on it"
    if device.kind >> 16 == 0x02:  # a network card
        for line in survey.lines("mounts"):
            fields, _, source = line.partition(" - ")
            if source.split()[:1] and source.split()[0] in NETWORK_ROOTS:
                return f"{fields.split()[4]} is mounted over the network"
    return ""


def _mounted(survey: Survey) -> Iterator[tuple[str, str]]:
    """Numbers of the block devices that are in use, and for what; `/` comes first."""
    names = {_last(target): number for number, target in _blocks(survey).items()}
    found = []
    for line in survey.lines("mounts"):
        fields, _, source = line.partition(" - ")
        _, _, number, _, place = fields.split()[:5]
        # The number of btrfs is its own; its source says where it is
        device = names.get(_last([*source.split(), "", ""][1]), number)
        found.append((device, place))
    for number, place in sorted(found, key=lambda each: each[1] != "/"):
        yield number, "the root file system" if place == "/" else place
    for line in survey.lines("swaps")[1:]:
        number = names.get(_last(line.split()[0]), "")
        yield number, "swap"


def _behind(survey: Survey, number: str) -> Iterator[str]:
    """Paths of a block device and of all that it is made of (LVM, RAID, encryption)."""
    blocks = _blocks(survey)
    paths = {_last(target): target for target in blocks.values()}
    slaves = [line.split("/")[3::2] for line in survey.lines("blocks") if "/slaves/" in line]
    wanted = [_last(blocks[number])] if number in blocks else []
    for name in wanted:  # grows while it is gone through
        yield paths.get(name, "").partition("devices/")[2]
        below = [slave for holder, slave in slaves if holder == name]
        wanted += [each for each in below if each not in wanted]


def _blocks(survey: Survey) -> dict[str, str]:
    matches = (_BLOCK.search(line) for line in survey.lines("blocks"))
    return {match["number"]: match["target"] for match in matches if match}


def _links(survey: Survey) -> Iterator[tuple[str, str]]:
    for line in survey.lines("links"):
        if match := _LINK.search(line):
            yield match["path"], match["target"]


def _attributes(survey: Survey) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in survey.lines("devices"):
        path, _, value = line.partition("/")
        name, _, said = value.partition(":")
        if _PCI_NAME.fullmatch(path):
            found.setdefault(path, {})[name] = said
    return found


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _tree_path(target: str) -> str:
    """The path of a node from a link to /sys/firmware/devicetree/base/PATH."""
    return "/" + target.partition("devicetree/base")[2].strip("/")
