"""Devices on the SoC's own buses: their stream IDs stand in `iommus`."""

from collections.abc import Iterator

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree, Reference
from ubtest.formats.record import FormatError
from ubtest.handoff.prediction import link, source
from ubtest.handoff.prediction.device import Device, Stream
from ubtest.handoff.prediction.fault import Fault, Finding
from ubtest.handoff.prediction.iommu import Iommu
from ubtest.handoff.prediction.msi import msi_controllers, msi_of_platform
from ubtest.handoff.prediction.pci_host import is_pci


def masters(tree: DeviceTree) -> Iterator[DeviceNode]:
    """Devices that the tree gives to an IOMMU, and network controllers, which it should."""
    for node in tree.root.walk():
        network = node.name.partition("@")[0] == "ethernet" and node.compatible
        inside = any(is_pci(each) for each in node.ancestry())
        if node.reachable and not inside and ("iommus" in node.properties or network):
            yield node


def kernel_name(tree: DeviceTree, node: DeviceNode) -> str:
    """As below /sys/bus/platform/devices (drivers/of/device.c, of_device_make_bus_id)."""
    name = ""
    for each in list(node.ancestry())[:-1]:
        address = tree.address(each)
        if address is not None:
            place = f"{address:x}.{each.name.partition('@')[0]}"
            return f"{place}:{name}" if name else place
        name = f"{each.name}:{name}" if name else each.name
    return name


def judged(tree: DeviceTree, node: DeviceNode, *, asked: bool = True) -> Device:
    """What the tree says about a platform device."""
    streams, iommu, findings = _linked(tree, node)
    if not node.reachable:
        off = next(each for each in node.ancestry() if not each.enabled)
        what = f"{off.path} is disabled: the kernel makes no device of {node.path}"
        fix = source.lines(tree, off, 'status = "okay"')
        findings.insert(0, Finding(Fault.DEVICE_DISABLED, what, fix))
    try:
        own = msi_of_platform(tree, node)
    except FormatError as error:
        findings.append(Finding(Fault.MALFORMED, str(error)))
        own = None
    findings += link.not_isolated(own, msi_controllers(tree))
    return Device(
        kernel_name(tree, node),
        node.path,
        "platform",
        streams,
        iommu.kind if iommu else None,
        tuple(findings),
        asked=asked,
    )


def _linked(
    tree: DeviceTree, node: DeviceNode
) -> tuple[tuple[Stream, ...], Iommu | None, list[Finding]]:
    first = link.first_iommu(tree)
    if first is None:
        return (), None, [link.no_iommu()]
    fix = f"iommus = <{source.reference(tree, first.path)} STREAM>"
    if not node.properties.get("iommus"):
        return (), None, list(link.unreferenced(tree, node, Fault.NO_IOMMUS, fix))
    try:
        entries = tree.references(node, "iommus", "#iommu-cells", default=1)
    except FormatError as error:
        return (), None, [Finding(Fault.MALFORMED, str(error), source.lines(tree, node, fix))]
    streams, found = list[Stream](), None
    for entry in entries:
        iommu = link.iommu_of(tree, entry.node)
        if iommu is None:
            return tuple(streams), found, [link.bad_phandle(tree, node, entry, fix)]
        found = found or iommu
        streams.append(_stream(iommu, entry))
    return tuple(streams), found, list(link.reached(tree, found)) if found else []


def _stream(iommu: Iommu, entry: Reference) -> Stream:
    number = entry.cells[0] if entry.cells else 0
    mask = entry.cells[1] if len(entry.cells) > 1 else iommu.stream_mask
    return Stream(iommu.path, number, mask)
