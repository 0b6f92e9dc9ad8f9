"""Where message-signalled interrupts go, and whether a device can only send its own.

VFIO wants them isolated, since a guest could else raise any interrupt of the host. The ITS of GICv3
checks who sends; a GICv2m frame and all others take whatever is written.
"""

from dataclasses import dataclass

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.handoff.prediction.kernels import Kernel

_ISOLATING = {"arm,gic-v3-its"}


@dataclass(frozen=True)
class MsiController:
    """One `msi-controller` of the tree."""

    path: str
    compatible: tuple[str, ...]
    enabled: bool

    @property
    def isolates(self) -> bool:
        return not _ISOLATING.isdisjoint(self.compatible)


def msi_controllers(tree: DeviceTree) -> tuple[MsiController, ...]:
    return tuple(_of(node) for node in tree.root.walk() if "msi-controller" in node.properties)


def msi_of_pci(tree: DeviceTree, host: DeviceNode, number: int) -> MsiController | None:
    """What takes the interrupts of a function of a host bridge: by `msi-map`, else by `msi-parent`.

    :param number: bus, device and function, as the PCI Express requester ID.
    :raises FormatError: the map is malformed.
    """
    if "msi-map" not in host.properties:
        return msi_of_platform(tree, host)
    mask = host.number("msi-map-mask")
    number &= 0xFFFFFFFF if mask is None else mask
    rows = tree.mapped(host, "msi-map")
    found = next((row.node for row in rows if row.translate(number) is not None), None)
    return _of(found) if found else None


def msi_of_platform(tree: DeviceTree, node: DeviceNode) -> MsiController | None:
    """What `msi-parent` names.

    :raises FormatError: the list is malformed.
    """
    parents = tree.references(node, "msi-parent", "#msi-cells", default=0)
    return next((_of(each.node) for each in parents if each.node), None)


def isolated(kernel: Kernel, own: MsiController | None, all_: tuple[MsiController, ...]) -> bool:
    """Whether this kernel's VFIO finds a device's interrupts isolated."""
    if kernel.isolation_of_device:
        return own is not None and own.isolates
    return all(each.isolates for each in all_ if each.enabled)


def _of(node: DeviceNode) -> MsiController:
    return MsiController(node.path, node.compatible, node.reachable)
