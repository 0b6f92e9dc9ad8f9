"""The IOMMUs of a tree, and what of their limits the tree shows."""

import enum
from dataclasses import dataclass

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.record import FormatError


class Kind(enum.Enum):
    """Which kernel driver takes it; the rules for stream IDs differ."""

    SMMU_V2 = "arm-smmu"  # context banks and stream-map entries
    SMMU_V3 = "arm-smmu-v3"  # tables in memory: neither runs out
    OTHER = "another driver"


KINDS = {
    "arm,smmu-v3": Kind.SMMU_V3,
    **dict.fromkeys(
        (
            "arm,smmu-v1",
            "arm,smmu-v2",
            "arm,mmu-400",
            "arm,mmu-401",
            "arm,mmu-500",
            "cavium,smmu-v2",
            "marvell,ap806-smmu-500",
            "nvidia,smmu-500",
            "qcom,smmu-500",
            "qcom,smmu-v2",
        ),
        Kind.SMMU_V2,
    ),
}


@dataclass(frozen=True)
class Iommu:
    """One IOMMU.

    :param cells: `#iommu-cells`; two hold a stream ID and a mask.
    :param stream_mask: `stream-match-mask`: bits of a stream ID that it ignores.
    :param banks: at most so many context banks: interrupts less the global ones. The driver refuses
        hardware with more banks than that (arm_smmu_device_probe).
    :param coherent: its table walks see the caches; VFIO refuses devices when they do not.
    """

    path: str
    compatible: tuple[str, ...]
    kind: Kind
    enabled: bool
    cells: int
    stream_mask: int
    banks: int | None
    coherent: bool


def iommus(tree: DeviceTree) -> tuple[Iommu, ...]:
    """Every node with `#iommu-cells`, also those that are disabled."""
    return tuple(_iommu(tree, node) for node in tree.root.walk() if is_iommu(node))


def is_iommu(node: DeviceNode) -> bool:
    return "#iommu-cells" in node.properties


def _iommu(tree: DeviceTree, node: DeviceNode) -> Iommu:
    kinds = (KINDS[each] for each in node.compatible if each in KINDS)
    kind = next(kinds, Kind.OTHER)
    return Iommu(
        node.path,
        node.compatible,
        kind,
        node.reachable,
        node.number("#iommu-cells") or 0,
        node.number("stream-match-mask") or 0,
        _banks(tree, node) if kind is Kind.SMMU_V2 else None,
        "dma-coherent" in node.properties,
    )


def _banks(tree: DeviceTree, node: DeviceNode) -> int | None:
    try:
        interrupts = len(tree.interrupts(node))
    except FormatError:
        return None
    return max(0, interrupts - (node.number("#global-interrupts") or 0))
