"""What a recipe may put into a machine.

A recipe may come from a stranger's mail, so drivers and their properties are an allow-list: none of
them reaches a file, a program or the network of the host.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from ubtest.media.declaration import Setting
from ubtest.recipe.term import Others, Read, Term, matching, number, word, yes

# driver -> the bus word of MachineProtocol.attach, for one that has a medium
WITH_MEDIUM = {
    "storage": "",  # the board's own way to a disk: `storage` of its file
    "usb-storage": "usb",
    "virtio-blk-pci": "virtio",
    "virtio-blk-device": "virtio-mmio",
    "nvme": "nvme",
    "sd-card": "sd",
    "scsi-hd": "scsi",
    "scsi-cd": "scsi",
}
WITHOUT = (
    *("usb-hub", "usb-bot", "usb-kbd", "usb-mouse", "usb-tablet"),
    *("qemu-xhci", "nec-usb-xhci", "usb-ehci", "sdhci-pci", "virtio-scsi-pci"),
    *("e1000", "e1000e", "igb", "virtio-net-pci", "virtio-net-device"),
    *("virtio-rng-pci", "virtio-balloon-pci", "edu"),
)
DRIVERS = (*WITH_MEDIUM, *WITHOUT)

_VALUE = re.compile(r"[\w.:-]{0,64}")
_NOTHING = re.compile("")
_KINDS: tuple[tuple[str, Read, tuple[str, ...]], ...] = (
    (
        "a word of letters, digits and . : -",
        matching(_VALUE),
        ("port", "addr", "serial", "mac", "disable-legacy", "product", "vendor", "ver"),
    ),
    ("true or false", yes, ("removable", "iommu_platform", "disable-modern", "multifunction")),
    (
        "a number",
        number,
        ("lun", "scsi-id", "ports", "p2", "p3", "logical_block_size", "physical_block_size"),
    ),
    ("empty", matching(_NOTHING), ("romfile",)),
)
PROPERTIES = tuple(
    Setting(name, allowed, "a property of the device", read)
    for allowed, read, names in _KINDS
    for name in names
)


def driver(declared: Any) -> str:
    """A driver of the list.

    :raises CaseError: it is none; names them all.
    """
    if declared.text not in DRIVERS:
        raise declared.wrong(f"no driver `{declared.text}`: one of {', '.join(DRIVERS)}")
    return str(declared.text)


@dataclass(frozen=True)
class Device:
    """One device that is plugged in.

    :param properties: of the QEMU device.
    """

    driver: Annotated[str, Term("a driver of the list", "QEMU's name of it", driver)]
    medium: Annotated[str, Term("a name of `media`", "what is in it", word)] = ""
    name: Annotated[
        str, Term("a word", "to unplug it by, and for `to`; else the medium's name", word)
    ] = ""
    to: Annotated[
        str, Term("a word", "the controller it is plugged into; else the bus's usual one", word)
    ] = ""
    properties: Annotated[
        Mapping[str, str | int | bool],
        Others("a property: " + ", ".join(each.name for each in PROPERTIES), PROPERTIES),
    ] = field(default_factory=dict)

    @property
    def known_as(self) -> str:
        return self.name or self.medium or self.driver
