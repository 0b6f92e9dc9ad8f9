"""An explanation for a person, and for a program."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.handoff.devices import Device
from ubtest.handoff.diagnosis import Diagnosis
from ubtest.handoff.explanation import Explanation, LayerResult, Verdict
from ubtest.handoff.iommu import Group, Iommu, Route

WIDTH = 98


def lines(explanation: Explanation) -> Iterator[str]:
    """The target, its groups and budget, then each device."""
    target = explanation.target
    yield from (line for line in target.survey.lines("release")[:1])
    yield ""
    yield from _iommus(explanation)
    for each in explanation.verdicts:
        yield ""
        yield from _device(each)


def _iommus(explanation: Explanation) -> Iterator[str]:
    target = explanation.target
    for iommu in target.iommus:
        limits = []
        if iommu.banks is not None:
            users = len(iommu.users(target.groups))
            limits.append(f"{max(users, iommu.taken or 0)} of {iommu.banks} context banks taken")
        if iommu.entries is not None:
            limits.append(f"{iommu.entries} stream-map entries, {len(iommu.masters)} devices")
        yield f"IOMMU {iommu.device}: {'; '.join(limits) or 'no limit on groups'}"
        behind = set(iommu.masters)
        for group in target.groups.values():
            if behind & set(group.devices):
                names = [str(target.devices.get(name, name)) for name in group.devices]
                yield f"  group {group.number} {group.kind or '?'}: {', '.join(names)}"
    if not target.iommus:
        yield "no IOMMU was probed"


def _device(verdict: Verdict) -> Iterator[str]:
    device = verdict.facts.device
    yield f"{device.name} {device.identity or device.node}"
    for each in verdict.layers:
        yield from _wrapped(f"  {each.layer.value:<11} {each.state.value:<12} ", each.what)
    yield from _wrapped("  -> ", verdict.sentence)
    for number, found in enumerate(verdict.diagnoses):
        if number:
            yield from _wrapped("  then ", found.cause)
        yield f"     step   {found.step}"
        yield f"     where  {found.owner.value} [{found.name}]"
        for fix in found.fix:
            yield f"     fix    {fix}"


def _wrapped(first: str, text: str) -> Iterator[str]:
    room = " " * len(first)
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=room,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]


@dataclass(frozen=True)
class DeviceSummary:
    device: Device
    route: Route
    siblings: tuple[str, ...]
    layers: tuple[LayerResult, ...]
    diagnoses: tuple[Diagnosis, ...]
    verdict: str


@dataclass(frozen=True)
class Summary:
    """What programs get."""

    iommus: tuple[Iommu, ...]
    groups: tuple[Group, ...]
    devices: tuple[DeviceSummary, ...]
    exit_code: int


def summary(explanation: Explanation) -> Summary:
    """The same without words around it."""
    target = explanation.target
    return Summary(
        iommus=target.iommus,
        groups=tuple(target.groups.values()),
        devices=tuple(
            DeviceSummary(
                device=each.facts.device,
                route=each.facts.route,
                siblings=tuple(sibling.name for sibling in each.facts.siblings),
                layers=each.layers,
                diagnoses=each.diagnoses,
                verdict=each.sentence,
            )
            for each in explanation.verdicts
        ),
        exit_code=explanation.exit_code,
    )
