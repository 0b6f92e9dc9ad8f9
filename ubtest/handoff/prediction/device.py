"""A device as the prediction has it."""

from dataclasses import dataclass, replace

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
    :param through: IOMMUs of what stands for a whole PCI bus and has no streams itself.
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
    through: tuple[str, ...] = ()
    asked: bool = True

    @property
    def driver(self) -> str:
        return f"vfio-{self.bus}"

    def on(self, version: str) -> "Device":
        """The same with what holds for one kernel only."""
        held = tuple(each for each in self.findings if version in each.kernels)
        return replace(self, findings=held)

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
    def opens(self) -> bool:
        """Whether VFIO hands it to a user, with a kernel that is started without parameters."""
        return not any(fault.closes_vfio for fault in self.faults)

    @property
    def dma(self) -> bool:
        """Whether its DMA then reaches the user's memory, as far as the tree tells."""
        return self.opens and Fault.MASK_ZERO not in self.faults

    @property
    def msi(self) -> bool:
        """Whether its message-signalled interrupts arrive: they pass the IOMMU, as DMA does."""
        return self.dma and Fault.NO_MSI not in self.faults
