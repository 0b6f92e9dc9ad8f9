"""A device as the prediction has it."""

from dataclasses import dataclass

from ubtest.handoff.prediction.fault import Answer, Fault, Finding
from ubtest.handoff.prediction.iommu import Kind


@dataclass(frozen=True)
class Stream:
    """What an IOMMU knows a device by.

    :param mask: bits of the number that the IOMMU ignores.
    """

    iommu: str
    number: int
    mask: int = 0

    def covers(self, other: "Stream") -> bool:
        """Whether what `other` stands for is this one's, too (arm_smmu_find_sme)."""
        return (
            self.iommu == other.iommu
            and other.mask & self.mask == other.mask
            and not (self.number ^ other.number) & ~self.mask
        )


@dataclass(frozen=True)
class Device:
    """A device and what comes of passing it through.

    :param name: as the kernel has it: "0000:00:03.0", "f2000000.ethernet".
    :param path: its node, or that of its PCI host bridge.
    :param kind: of the IOMMU that its streams go to.
    :param shares: other devices that get the same group.
    :param live: what only the running machine's PCI bus can tell.
    """

    name: str
    path: str
    bus: str
    streams: tuple[Stream, ...] = ()
    kind: Kind | None = None
    findings: tuple[Finding, ...] = ()
    shares: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    asked: bool = True

    @property
    def driver(self) -> str:
        return f"vfio-{self.bus}"

    @property
    def faults(self) -> frozenset[Fault]:
        return frozenset(each.fault for each in self.findings)

    @property
    def answer(self) -> Answer:
        answers = {fault.answer for fault in self.faults}
        for answer in (Answer.NO, Answer.CONDITION):
            if answer in answers:
                return answer
        return Answer.YES

    @property
    def group(self) -> bool:
        """Whether the kernel makes an IOMMU group for it once a driver binds."""
        return not any(fault.hides_group for fault in self.faults)

    @property
    def dma(self) -> bool:
        """Whether DMA reaches the group's mappings, as far as the tree tells."""
        return self.group and Fault.MASK_ZERO not in self.faults

    @property
    def msi(self) -> bool:
        """Whether its message-signalled interrupts arrive: they pass the IOMMU, as DMA does."""
        return self.dma and Fault.NO_MSI not in self.faults
