"""Which step of VFIO a message of QEMU is about: all that people have when they ask for help.

The words are those of hw/vfio (container.c, common.c, pci.c), recorded from QEMU 7.2 and 10.0;
older ones differ in capital letters only.
"""

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ubtest.handoff.diagnosis import Layer

ANY = 0
_ERRORS = {os.strerror(number): number for number in errno.errorcode}
_NO_BANK = (
    "the IOMMU has no context bank left (SMMU-500): each DMA group and each open container takes "
    "some; iommu.passthrough=1 gives those of the host's devices back"
)


@dataclass(frozen=True)
class Words:
    """One message of QEMU.

    :param says: a regular expression, in any case of letters.
    :param step: as the VFIO probe names it.
    :param causes: error number -> what is likely behind it, the likeliest first; `ANY` for the
        others.
    """

    says: str
    step: str
    layer: Layer
    causes: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Refusal:
    """What a message says.

    :param error: errno; 0 where QEMU names none.
    :param device: as QEMU calls it, "0000:00:02.0"; empty where the message does not say.
    """

    step: str
    layer: Layer
    error: int = ANY
    device: str = ""
    causes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        code = f": {errno.errorcode.get(self.error, self.error)}" if self.error else ""
        of = f" of {self.device}" if self.device else ""
        return f"{self.step}{code}{of} ({self.layer.value})"


WORDS = (
    Words(
        r"no such host device",
        "find device",
        Layer.HANDOFF,
        {ANY: ("the kernel has no device of this address: see `ls /sys/bus/pci/devices`",)},
    ),
    Words(
        r"no iommu_group found",
        "iommu_group",
        Layer.IOMMU,
        {
            ANY: (
                "the device has not been bound to a driver since boot: a group is made then",
                "no IOMMU took it: none in the device tree, disabled, or not named by iommu-map "
                "(PCI) or iommus (platform)",
                "the IOMMU has no stream-map entry left",
            )
        },
    ),
    Words(
        r"failed to open /dev/vfio/\d+",
        "open group",
        Layer.VFIO,
        {
            errno.ENOENT: ("no device of the group is bound to vfio-pci or vfio-platform",),
            errno.EBUSY: ("another process has the group: a guest that still runs",),
            errno.EACCES: ("this user may not open the group's file: chown it",),
            errno.EPERM: ("this user may not open the group's file: chown it",),
        },
    ),
    Words(
        r"failed to open /dev/vfio/vfio",
        "open container",
        Layer.VFIO,
        {
            ANY: ("the module vfio is not loaded",),
            errno.EACCES: ("this user may not open it: mode 0666 is the usual one",),
        },
    ),
    Words(
        r"group \d+ is not viable",
        "VFIO_GROUP_GET_STATUS",
        Layer.VFIO,
        {ANY: ("another device of the group is on a driver of the host: unbind it",)},
    ),
    Words(
        r"failed to set group container",
        "VFIO_GROUP_SET_CONTAINER",
        Layer.IOMMU,
        {
            errno.ENOSPC: (_NO_BANK,),
            errno.EPERM: ("another device of the group is on a driver of the host: unbind it",),
        },
    ),
    Words(
        r"no available iommu models",
        "VFIO_CHECK_EXTENSION",
        Layer.VFIO,
        {ANY: ("the module vfio_iommu_type1 is not loaded",)},
    ),
    Words(
        r"failed to set iommu for container",
        "VFIO_SET_IOMMU",
        Layer.IOMMU,
        {
            errno.ENOSPC: (_NO_BANK,),
            errno.EPERM: (
                "the MSI controller cannot keep devices apart, as GICv2m: "
                "vfio_iommu_type1.allow_unsafe_interrupts=1",
                "the device has no MSI controller at all (no msi-map), since Linux 6.12",
            ),
            errno.ENODEV: ("the module vfio_iommu_type1 is not loaded",),
        },
    ),
    Words(
        r"vfio_map_dma failed|vfio_(container_)?dma_map\(",
        "VFIO_IOMMU_MAP_DMA",
        Layer.VFIO,
        {
            errno.ENOSPC: ("vfio_iommu_type1.dma_entry_limit is reached",),
            errno.ENOMEM: ("the process may not lock so much memory: ulimit -l",),
            errno.EINVAL: ("an address of the guest is one that the IOMMU reserves or cannot map",),
        },
    ),
    Words(
        r"error getting device from group",
        "VFIO_GROUP_GET_DEVICE_FD",
        Layer.VFIO,
        {
            errno.ENODEV: ("the device itself is not bound to vfio-pci, only its group is",),
            errno.EINVAL: ("vfio-platform cannot reset the device: it has no reset function",),
        },
    ),
    Words(
        r"failed to setup INTx|failed to enable INTx|failed to (setup|enable) MSI|"
        r"failed to set up .*(interrupt|irq)|VFIO_DEVICE_SET_IRQS",
        "VFIO_DEVICE_SET_IRQS",
        Layer.INTERRUPTS,
        {errno.EINVAL: ("the device has no MSI controller: no msi-map in the device tree",)},
    ),
)


def layer_of(message: str) -> Refusal | None:
    """What a message of QEMU says, with all that was printed around it; None: it is not VFIO's.

    Where QEMU prints two lines about one failure, the innermost step counts.
    """
    for words in WORDS:
        line = next((each for each in message.splitlines() if _found(words.says, each)), None)
        if line is not None:
            error = _error(line)
            causes = words.causes.get(error, words.causes.get(ANY, ()))
            return Refusal(words.step, words.layer, error, _device(message), causes)
    return None


def _found(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)


def _error(line: str) -> int:
    """The last error that a line names: outer ones come first."""
    places = {line.rfind(text): number for text, number in _ERRORS.items() if text in line}
    return places[max(places)] if places else ANY


def _device(message: str) -> str:
    named = _found(r"\bvfio (?:/sys/\S+/)?([\w:.@-]+): ", message)
    return named[1] if named else ""
