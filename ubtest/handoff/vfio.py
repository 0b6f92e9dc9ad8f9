"""What the VFIO probe (images/vfio) found on a target, step by step."""

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BINDING = ("open container", "iommu_group", "open group")
CONTAINER = ("VFIO_GROUP_SET_CONTAINER", "VFIO_SET_IOMMU")
INTERRUPTS = ("VFIO_DEVICE_GET_IRQ_INFO", "VFIO_DEVICE_SET_IRQS", "interrupt")
DMA = ("dma",)


@dataclass(frozen=True)
class Step:
    """One line of the probe.

    :param ok: None where the step says nothing about the device; `said["why"]` has the reason.
    :param error: errno where the kernel refused, else 0.
    :param said: the members that only this step has.
    """

    name: str
    ok: bool | None
    error: int = 0
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """The reason in words: QEMU and others print the same."""
        return os.strerror(self.error) if self.error else ""

    def __str__(self) -> str:
        kind = f" ({self.said['kind']})" if "kind" in self.said else ""
        code = f": {errno.errorcode.get(self.error, self.error)}" if self.error else ""
        return f"{self.name}{kind}{code}"


@dataclass(frozen=True)
class Probed:
    """All steps of one device, in their order; empty when it was not probed."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Probed":
        """From the probe's lines; what the kernel printed between them is left out."""
        return cls(tuple(_steps(text.splitlines())))

    @property
    def failed(self) -> tuple[Step, ...]:
        return tuple(each for each in self.steps if each.ok is False)

    def all(self, *names: str) -> tuple[Step, ...]:
        return tuple(each for each in self.steps if each.name in names)

    def step(self, name: str, **said: Any) -> Step | None:
        """The first step of a name, with these members; None when it did not come to it."""
        found = (each for each in self.all(name) if said.items() <= each.said.items())
        return next(found, None)

    def refused(self, name: str, *errors: int) -> Step | None:
        """A step that failed with one of these error numbers."""
        found = (each for each in self.all(name) if each.ok is False and each.error in errors)
        return next(found, None)

    @property
    def viable(self) -> bool | None:
        """Whether every device of the group is on VFIO or on no driver; None: not asked."""
        status = self.step("VFIO_GROUP_GET_STATUS")
        return bool(status.said["viable"]) if status and status.ok else None

    @property
    def opened(self) -> bool:
        """Whether the device itself could be had."""
        opened = self.step("VFIO_GROUP_GET_DEVICE_FD")
        return bool(opened and opened.ok)

    @property
    def moved(self) -> bool | None:
        """Whether DMA moved data; None: nothing could be moved, so nothing is said."""
        dma = self.step("dma")
        return dma.ok if dma else None

    def arrived(self, kind: str) -> bool | None:
        """Whether an interrupt arrived; None: none was raised."""
        interrupt = self.step("interrupt", kind=kind)
        return interrupt.ok if interrupt else None

    @property
    def whole(self) -> bool:
        """Whether the probe came to its end."""
        return self.step("dma") is not None


def _steps(lines: Iterable[str]) -> Iterator[Step]:
    for line in lines:
        start = line.find('{"device":')
        try:
            said = json.loads(line[start:]) if start >= 0 else None
        except ValueError:
            continue
        if not isinstance(said, dict) or "step" not in said:
            continue
        own = {k: v for k, v in said.items() if k not in ("device", "step", "ok", "errno")}
        yield Step(said["step"], said.get("ok"), said.get("errno", 0), own)
