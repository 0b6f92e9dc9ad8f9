"""What stands between a device and a guest: the step that failed, why, whose it is, the fix."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from ubtest.handoff.facts import Facts


class Layer(enum.Enum):
    """From the firmware up; each stands on those before it."""

    HANDOFF = "handoff"
    IOMMU = "iommu"
    VFIO = "vfio"
    INTERRUPTS = "interrupts"
    DMA = "dma"


class Owner(enum.Enum):
    """Who can mend it."""

    FIRMWARE = "the device tree that the firmware handed over"
    KERNEL = "the kernel's configuration"
    SETUP = "how the target is set up"
    HARDWARE = "the hardware's limits"
    OPEN = "not known"


@dataclass(frozen=True)
class Diagnosis:
    """One cause.

    :param name: of the rule.
    :param step: what failed, as the kernel or the probe names it.
    :param fix: a command or a line a piece; "=> " in front of those for U-Boot's prompt, "# " of
        those for the target's shell.
    """

    name: str
    layer: Layer
    step: str
    cause: str
    owner: Owner
    fix: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """A rule's answer; its name comes from the table."""

    layer: Layer
    step: str
    cause: str
    owner: Owner
    fix: tuple[str, ...] = ()


Rule = Callable[[Facts], Judgement | None]
