"""What an SMMU of the second kind can run out of: context banks and stream-map entries."""

from dataclasses import dataclass

from ubtest.handoff.prediction.device import Device
from ubtest.handoff.prediction.iommu import Iommu, Kind
from ubtest.handoff.prediction.kernels import Kernel


@dataclass(frozen=True)
class Budget:
    """Needs and limits of one SMMU.

    :param banks: at most this many (`Iommu.banks`); None when the tree does not tell.
    :param groups: that translate, with every device of the tree bound to a driver; one bank each.
        With iommu.passthrough=1 only those of VFIO take one.
    :param entries: stream-map entries that they take. How many there are, no tree tells.
    """

    iommu: str
    banks: int | None
    groups: int
    entries: int

    def needs(self, kernel: Kernel, containers: int = 1) -> int:
        """Context banks with so many VFIO containers open."""
        return self.groups + containers * kernel.container_banks

    def fits(self, kernel: Kernel) -> bool:
        return self.banks is None or self.needs(kernel) <= self.banks


def budgets(iommus: tuple[Iommu, ...], devices: tuple[Device, ...]) -> tuple[Budget, ...]:
    return tuple(_budget(each, devices) for each in iommus if each.kind is Kind.SMMU_V2)


def _budget(iommu: Iommu, devices: tuple[Device, ...]) -> Budget:
    behind = [d for d in devices if any(s.iommu == iommu.path for s in d.streams)]
    groups = {frozenset({each.name, *each.shares}) for each in behind}
    streams = {each for device in behind for each in device.streams if each.iommu == iommu.path}
    entries = {s for s in streams if not any(o.covers(s) for o in streams if o != s)}
    return Budget(iommu.path, iommu.banks, len(groups), len(entries))
