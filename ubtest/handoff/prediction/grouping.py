"""Which devices end up in one IOMMU group, as far as stream IDs and PCI slots tell."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from ubtest.handoff.prediction.device import Device
from ubtest.handoff.prediction.fault import Fault, Finding
from ubtest.handoff.prediction.iommu import Kind


def grouped(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """The devices, each with those that share its group."""
    findings: dict[str, list[Finding]] = {each.name: [] for each in devices}
    shares: dict[str, set[str]] = {each.name: {each.name} for each in devices}
    for one, other in combinations(devices, 2):
        if _same_group(one, other):
            joined = shares[one.name] | shares[other.name]
            for name in joined:
                shares[name] = joined
        elif what := _conflict(one, other):
            findings[one.name].append(Finding(Fault.STREAM_TAKEN, f"{what} {other.name}"))
            findings[other.name].append(Finding(Fault.STREAM_TAKEN, f"{what} {one.name}"))
    return tuple(
        replace(
            each,
            shares=tuple(sorted(shares[each.name] - {each.name})),
            findings=(*each.findings, *findings[each.name]),
            live=(*each.live, *_slot(each, devices)),
        )
        for each in devices
    )


def _same_group(one: Device, other: Device) -> bool:
    if _one_slot(one, other):
        return True
    if Kind.SMMU_V3 in (one.kind, other.kind):
        return False
    pairs = [(a, b) for a in one.streams for b in other.streams]
    return any(a.covers(b) or b.covers(a) for a, b in pairs)


def _conflict(one: Device, other: Device) -> str:
    """Streams that the driver gives to only one of two devices."""
    for a in one.streams:
        for b in other.streams:
            if a.iommu == b.iommu and not (a.number ^ b.number) & ~(a.mask | b.mask):
                return f"stream ID {a.number:#x} goes to who binds first, the other gets no group:"
    return ""


def _one_slot(one: Device, other: Device) -> bool:
    """Functions of one slot. With ACS they are apart, which only the running machine shows."""
    return one.bus == other.bus == "pci" and one.name[:-2] == other.name[:-2]


def _slot(device: Device, devices: tuple[Device, ...]) -> Iterator[str]:
    if any(_one_slot(device, each) for each in devices if each is not device):
        yield "functions of one slot share a group, unless they have ACS"
