"""Devices on a PCI bus: their stream IDs follow from `iommu-map` (drivers/of/base.c, of_map_id)."""

from collections.abc import Iterator

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree, MapEntry
from ubtest.formats.record import FormatError
from ubtest.handoff.prediction import link, source
from ubtest.handoff.prediction.device import Device, Stream
from ubtest.handoff.prediction.fault import Fault, Finding
from ubtest.handoff.prediction.iommu import Iommu
from ubtest.handoff.prediction.msi import MsiController, msi_controllers, msi_of_pci
from ubtest.handoff.prediction.pci_host import PciAddress, PciHost

_ALL = 0xFFFFFFFF
_GENERIC = "pci-host-ecam-generic"


class Lost(Exception):
    """The kernel makes no group; carries why."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings)
        self.findings = findings


def judged(tree: DeviceTree, host: PciHost, address: PciAddress) -> Device:
    """What the tree says about one function."""
    findings, streams, kind = list[Finding](), tuple[Stream, ...](), None
    try:
        row = _row(tree, host.node, address)
        iommu = _iommu(tree, host.node, row)
        number = row.translate(address.number & mask_of(host.node)) or 0
        streams, kind = (Stream(iommu.path, number, iommu.stream_mask),), iommu.kind
        findings += link.reached(tree, iommu)
        findings += _mask_zero(tree, host.node, row, number)
    except Lost as lost:
        findings += lost.findings
    findings += _interrupts(tree, host.node, address)
    name = str(PciAddress.of(host.domain, address.number))
    live = tuple(_live(host, address))
    return Device(name, host.node.path, "pci", streams, kind, tuple(findings), live=live)


def mask_of(node: DeviceNode) -> int:
    mask = node.number("iommu-map-mask")
    return _ALL if mask is None else mask


def rows_of(tree: DeviceTree, node: DeviceNode) -> tuple[MapEntry, ...]:
    """The rows of `iommu-map`; none when it is malformed."""
    try:
        return tree.mapped(node, "iommu-map")
    except FormatError:
        return ()


def _row(tree: DeviceTree, node: DeviceNode, address: PciAddress) -> MapEntry:
    """The row that translates this function.

    :raises Lost: there is none.
    """
    first = link.first_iommu(tree)
    if first is None:
        raise Lost(link.no_iommu())
    target = source.reference(tree, first.path)
    fresh = f"iommu-map = <0x0 {target} STREAM 0x10000>"
    if "iommu-map" not in node.properties:
        raise Lost(*link.unreferenced(tree, node, Fault.NO_MAP, fresh))
    rows, mask = rows_of(tree, node), mask_of(node)
    if not rows:
        length = len(node.properties["iommu-map"])
        what = f"{node.path}: iommu-map has {length} bytes, must be rows of 16: no group is made"
        raise Lost(Finding(Fault.MALFORMED, what, source.lines(tree, node, fresh)))
    for row in rows:
        if row.first & ~mask:
            what = (
                f"{node.path}: iommu-map-mask {mask:#x} hides the row that begins at {row.first:#x}"
            )
            wider = source.lines(tree, node, f"iommu-map-mask = <{mask | row.first:#x}>")
            raise Lost(Finding(Fault.MASK_HIDES_ROW, what, wider))
        if row.translate(address.number & mask) is not None:
            return row
    what = f"{node.path}: iommu-map has no row for ID {address.number & mask:#x} of {address}"
    raise Lost(Finding(Fault.MAP_SHORT, what, _longer(tree, node, rows, address.number & mask)))


def _longer(
    tree: DeviceTree, node: DeviceNode, rows: tuple[MapEntry, ...], number: int
) -> tuple[str, ...]:
    """The row below made long enough, with stream IDs that go on as they do there."""
    below = [row for row in rows if row.first <= number and row.node]
    if not below:
        return ()
    last = max(below, key=lambda row: row.first)
    assert last.node
    entry = (
        f"<{last.first:#x} {source.reference(tree, last.node.path)} {last.output:#x}"
        f" {number - last.first + 1:#x}>"
    )
    return (
        *source.lines(tree, node, f"iommu-map = {entry}"),
        "# if its stream IDs go on like this",
    )


def _iommu(tree: DeviceTree, node: DeviceNode, row: MapEntry) -> Iommu:
    iommu = link.iommu_of(tree, row.node)
    if iommu is None:
        first = link.first_iommu(tree)
        target = source.reference(tree, first.path) if first else ""
        fix = f"iommu-map = <{row.first:#x} {target} {row.output:#x} {row.length:#x}>"
        raise Lost(link.bad_phandle(tree, node, row, fix))
    return iommu


def _mask_zero(tree: DeviceTree, node: DeviceNode, row: MapEntry, number: int) -> Iterator[Finding]:
    """A row of many IDs of which the mask leaves one. A row of one ID is meant so (Arm's Juno)."""
    if mask_of(node) == 0 and row.length > 1:
        what = (
            f"{node.path}: iommu-map-mask is 0: every function gets stream ID {number:#x}; DMA of"
            " those that send another fails without a message"
        )
        fix = source.lines(tree, node, f"iommu-map-mask = <{row.length - 1:#x}>")
        yield Finding(Fault.MASK_ZERO, what, fix)


def _interrupts(tree: DeviceTree, node: DeviceNode, address: PciAddress) -> Iterator[Finding]:
    every = msi_controllers(tree)
    own: MsiController | None = None
    try:
        own = msi_of_pci(tree, node, address.number)
    except FormatError as error:
        yield Finding(Fault.MALFORMED, str(error))
    if own is None or not own.enabled:
        name = "msi-map" if own is None else own.path
        why = "has no msi-map or msi-parent for it" if own is None else f"names {name}, disabled"
        driver = (
            "" if _GENERIC in node.compatible else ", unless its driver has a controller itself"
        )
        first = next((each for each in every if each.enabled), None)
        target = source.reference(tree, first.path) if first else "&MSI-CONTROLLER"
        yield Finding(
            Fault.NO_MSI,
            f"{node.path} {why}: VFIO_DEVICE_SET_IRQS for MSI fails, INTx is left{driver}",
            source.lines(tree, node, f"msi-map = <0x0 {target} 0x0 0x10000>"),
        )
        own = None
    yield from link.not_isolated(own, every)


def _live(host: PciHost, address: PciAddress) -> Iterator[str]:
    if not host.first_bus <= address.bus <= host.last_bus:
        yield f"bus {address.bus:02x} is outside of the bus-range of {host.node.path}"
    elif address.bus != host.first_bus:
        yield "behind a bridge: its group holds all behind the nearest port without ACS"
