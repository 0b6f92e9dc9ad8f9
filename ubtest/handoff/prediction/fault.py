"""What is wrong with a device's passthrough, each cause under a name of its own."""

import enum
from dataclasses import dataclass

from ubtest.handoff.prediction.kernels import KERNELS


class Answer(enum.Enum):
    """Whether a device can be passed through."""

    YES = "yes"
    CONDITION = "on a condition"
    NO = "no"


class Fault(enum.Enum):
    """A cause, in the order in which the kernel comes upon them; the value is what people read."""

    DEVICE_DISABLED = "device disabled"
    NO_IOMMU = "no IOMMU"
    NO_IOMMUS = "no iommus"
    NO_MAP = "no iommu-map"
    MALFORMED = "malformed"
    MASK_HIDES_ROW = "iommu-map-mask hides a row"
    MAP_SHORT = "iommu-map too short"
    BAD_PHANDLE = "bad phandle"
    IOMMU_DISABLED = "IOMMU disabled"
    MASK_ZERO = "iommu-map-mask 0"
    STREAM_TAKEN = "stream ID taken"
    NOT_COHERENT = "IOMMU not coherent"
    BANKS = "context banks"
    NO_MSI = "no MSI"
    NOT_ISOLATED = "interrupts not isolated"

    @property
    def answer(self) -> Answer:
        """What is left of the passthrough with this fault."""
        return Answer.CONDITION if self in _CONDITIONS else Answer.NO

    @property
    def hides_group(self) -> bool:
        """Whether the kernel makes no IOMMU group for the device then."""
        return self not in _CONDITIONS | {Fault.MASK_ZERO, Fault.NOT_COHERENT}

    @property
    def closes_vfio(self) -> bool:
        """Whether VFIO does not hand it to a user then."""
        return self.hides_group or self in _REFUSED_BY_VFIO


_REFUSED_BY_VFIO = {Fault.NOT_COHERENT, Fault.BANKS, Fault.NOT_ISOLATED}
_CONDITIONS = {Fault.STREAM_TAKEN, Fault.BANKS, Fault.NO_MSI, Fault.NOT_ISOLATED}


@dataclass(frozen=True)
class Finding:
    """One fault of one device.

    :param what: what the tree says, and what the kernel does then.
    :param fix: lines of device tree source, or kernel parameters behind "# ".
    :param kernels: the versions of `KERNELS` that it holds for.
    """

    fault: Fault
    what: str
    fix: tuple[str, ...] = ()
    kernels: tuple[str, ...] = tuple(kernel.version for kernel in KERNELS)
