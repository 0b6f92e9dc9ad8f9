"""From a device tree to what can be passed through: the whole prediction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.fdt import parse
from ubtest.formats.record import FormatError
from ubtest.handoff.prediction import pci, platform
from ubtest.handoff.prediction.budget import Budget, budgets
from ubtest.handoff.prediction.device import Device
from ubtest.handoff.prediction.fault import Fault, Finding
from ubtest.handoff.prediction.folding import Folding, foldings
from ubtest.handoff.prediction.grouping import grouped
from ubtest.handoff.prediction.iommu import Iommu, iommus
from ubtest.handoff.prediction.kernels import KERNELS
from ubtest.handoff.prediction.msi import MsiController, msi_controllers
from ubtest.handoff.prediction.pci_host import PciAddress, PciHost, hosts

UNKNOWN = (
    "whether the hardware sends these stream IDs: only DMA that moves data shows it",
    "how many context banks and stream-map entries the SMMU has: its ID registers tell",
    "what is on the PCI bus: bridges, ACS, quirks and so the groups behind a bridge",
    "what the kernel has and was started with: vfio, iommu.passthrough, dma_entry_limit",
)


@dataclass(frozen=True)
class Prediction:
    """What the tree says.

    :param devices: those asked for, and all others that have a stream ID (`Device.asked` tells).
    :param unknown: what no tree can tell.
    """

    iommus: tuple[Iommu, ...]
    msi: tuple[MsiController, ...]
    devices: tuple[Device, ...]
    foldings: tuple[Folding, ...]
    budgets: tuple[Budget, ...]
    unknown: tuple[str, ...] = UNKNOWN

    @property
    def asked(self) -> tuple[Device, ...]:
        return tuple(each for each in self.devices if each.asked)

    def device(self, name: str) -> Device:
        """By the kernel's name or the node's path; a PCI domain of 0 may be left away.

        :raises KeyError: it is not among them.
        """
        for each in self.devices:
            if name in (each.name, each.path) or each.name == f"0000:{name}":
                return each
        raise KeyError(name)


def predict(
    data: bytes,
    pci_devices: Sequence[str] = (),
    devices: Sequence[str] = (),
    *,
    unsafe_interrupts: bool = False,
) -> Prediction:
    """Judge a flattened device tree.

    :param pci_devices: PCI addresses, as lspci writes them.
    :param devices: platform devices by path, alias, label or the kernel's name. Without any, all
        that the tree gives to an IOMMU are judged, each network controller, and each PCI bus.
    :param unsafe_interrupts: the kernel is started with allow_unsafe_interrupts=1.
    :raises FormatError: not a device tree, no PCI address, or no such device in it.
    """
    tree = parse(data)
    wanted = [_node(tree, each) for each in devices]
    everything = not (wanted or pci_devices)
    masters = [each for each in platform.masters(tree) if everything or "iommus" in each.properties]
    judged = [
        platform.judged(tree, node, asked=everything or node in wanted)
        for node in dict.fromkeys((*wanted, *masters))
    ]
    judged += [_function(tree, each) for each in dict.fromkeys(pci_devices)]
    if everything:
        judged += [_bus(tree, each) for each in hosts(tree)]
    found = iommus(tree)
    together = grouped(tuple(judged))
    limits = budgets(found, together)
    return Prediction(
        found,
        msi_controllers(tree),
        tuple(_final(each, limits, unsafe_interrupts) for each in together),
        tuple(folding for host in hosts(tree) for folding in foldings(tree, host)),
        limits,
    )


def _node(tree: DeviceTree, name: str) -> DeviceNode:
    path = next((path for path, label in tree.labels.items() if label == name), name)
    if node := tree.at(path):
        return node
    named = (each for each in tree.root.walk() if platform.kernel_name(tree, each) == name)
    if node := next(named, None):
        return node
    raise FormatError(f"{name}: no node, alias, label or platform device of the tree is called so")


def _function(tree: DeviceTree, text: str) -> Device:
    address = PciAddress.parse(text)
    found = hosts(tree)
    if address.domain is not None:
        found = tuple(each for each in found if each.domain == address.domain)
    if not found:
        raise FormatError(f"{text}: the tree has no enabled PCI host bridge for it")
    if len(found) > 1:
        domains = ", ".join(f"{each.domain:04x}" for each in found)
        raise FormatError(f"{text}: put the domain in front, one of {domains}")
    return pci.judged(tree, found[0], address)


def _bus(tree: DeviceTree, host: PciHost) -> Device:
    """All that can be said without an address: what holds where the map's rows begin."""
    rows = pci.rows_of(tree, host.node)
    numbers = [row.first for row in rows] or [host.first_bus << 8]
    parts = [pci.judged(tree, host, PciAddress.of(host.domain, each)) for each in numbers]
    findings = tuple(dict.fromkeys(finding for part in parts for finding in part.findings))
    through = tuple(dict.fromkeys(each.iommu for part in parts for each in part.streams))
    name = f"{host.domain:04x}:*"
    return replace(parts[0], name=name, streams=(), findings=findings, live=(), through=through)


def _final(device: Device, limits: tuple[Budget, ...], unsafe_interrupts: bool) -> Device:
    findings = list(device.findings)
    if unsafe_interrupts:
        findings = [each for each in findings if each.fault is not Fault.NOT_ISOLATED]
    for limit in limits:
        if limit.iommu in device.through:  # any function of the bus takes one more
            findings += _banks(replace(limit, groups=limit.groups + 1))
        elif any(each.iommu == limit.iommu for each in device.streams):
            findings += _banks(limit)
    order = list(Fault)
    return replace(device, findings=tuple(sorted(findings, key=lambda f: order.index(f.fault))))


def _banks(limit: Budget) -> Iterator[Finding]:
    over = tuple(kernel for kernel in KERNELS if not limit.fits(kernel))
    if over:
        needs = ", ".join(f"{limit.needs(kernel)} on {kernel.version}" for kernel in over)
        what = f"{limit.iommu} has at most {limit.banks} context banks, {needs} are needed: ENOSPC"
        yield Finding(
            Fault.BANKS, what, ("# iommu.passthrough=1",), tuple(kernel.version for kernel in over)
        )
