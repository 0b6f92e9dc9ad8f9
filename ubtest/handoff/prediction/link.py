"""What a device's way to its IOMMU depends on, alike for platform and PCI devices."""

from collections.abc import Iterable, Iterator

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree, MapEntry, Reference
from ubtest.handoff.prediction import source
from ubtest.handoff.prediction.fault import Fault, Finding
from ubtest.handoff.prediction.iommu import Iommu, iommus, is_iommu
from ubtest.handoff.prediction.kernels import KERNELS
from ubtest.handoff.prediction.msi import MsiController, isolated

UNSAFE = "# vfio_iommu_type1.allow_unsafe_interrupts=1"


def first_iommu(tree: DeviceTree) -> Iommu | None:
    """The IOMMU that a proposed line names: an enabled one rather than another."""
    return next(iter(sorted(iommus(tree), key=lambda each: not each.enabled)), None)


def unreferenced(tree: DeviceTree, node: DeviceNode, fault: Fault, fix: str) -> Iterator[Finding]:
    """A device that no IOMMU is named for, and what else is in the way then.

    :param fix: the property that would name one.
    """
    name = fix.partition(" ")[0]
    what = f"{node.path} has no {name}: its DMA passes by every IOMMU, no group is made"
    yield Finding(fault, what, source.lines(tree, node, fix))
    first = first_iommu(tree)
    if first and not first.enabled:
        yield from reached(tree, first)


def no_iommu() -> Finding:
    return Finding(
        Fault.NO_IOMMU,
        "the tree has no IOMMU: the kernel makes no group and vfio fails to probe with -22",
        ("# QEMU: -M virt,iommu=smmuv3; a board: a tree that describes its SMMU",),
    )


def bad_phandle(
    tree: DeviceTree, node: DeviceNode, entry: Reference | MapEntry, fix: str
) -> Finding:
    """An entry that names no IOMMU.

    :param fix: the property as it should be.
    """
    found = entry.node
    names = f"names {found.path}, which is no IOMMU" if found else "names no node of the tree"
    name = fix.partition(" ")[0]
    what = f"{node.path}: {name}: phandle {entry.phandle:#x} {names}: no group is made"
    return Finding(Fault.BAD_PHANDLE, what, source.lines(tree, node, fix))


def reached(tree: DeviceTree, iommu: Iommu) -> Iterator[Finding]:
    """Faults of the IOMMU itself."""
    target = tree.at(iommu.path) or tree.root
    if not iommu.enabled:
        what = f"{iommu.path} is disabled: no group is made"
        off = next(each for each in target.ancestry() if not each.enabled)
        yield Finding(Fault.IOMMU_DISABLED, what, source.lines(tree, off, 'status = "okay"'))
    if not iommu.coherent:
        yield Finding(
            Fault.NOT_COHERENT,
            f"{iommu.path} is not dma-coherent: VFIO takes no device that it cannot keep coherent",
            source.lines(tree, target, "dma-coherent"),
        )


def iommu_of(tree: DeviceTree, node: DeviceNode | None) -> Iommu | None:
    """The facts of a node that an entry names; None when it is no IOMMU."""
    if node is None or not is_iommu(node):
        return None
    return next(each for each in iommus(tree) if each.path == node.path)


def not_isolated(own: MsiController | None, all_: Iterable[MsiController]) -> Iterator[Finding]:
    """Interrupts that VFIO_SET_IOMMU refuses with EPERM, and under which kernels."""
    every = tuple(all_)
    refusing = tuple(kernel.version for kernel in KERNELS if not isolated(kernel, own, every))
    if refusing:
        by = own or next((each for each in every if each.enabled and not each.isolates), None)
        kind = next(iter(by.compatible), "?") if by else ""
        who = f"{by.path} ({kind}) does not check" if by else "nothing is known to check"
        what = f"{who} who sends an interrupt: EPERM at VFIO_SET_IOMMU"
        which = "" if len(refusing) == len(KERNELS) else f" on {', '.join(refusing)}"
        yield Finding(Fault.NOT_ISOLATED, what + which, (UNSAFE,), refusing)
