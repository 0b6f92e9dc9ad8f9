"""What differs between the kernels that a prediction is made for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kernel:
    """One release, as measured with the arm-smmu driver and VFIO.

    :param container_banks: context banks that an open VFIO container takes on top of its group's.
    :param isolation_of_device: whether a device's interrupts are isolated is asked of its own MSI
        controller (msi_device_has_isolated_msi), not of all there are (irq_domain_check_msi_remap).
    """

    version: str
    container_banks: int
    isolation_of_device: bool


KERNELS = (
    Kernel("6.1", container_banks=2, isolation_of_device=False),
    Kernel("6.12", container_banks=1, isolation_of_device=True),
)
