"""What `ubtest handoff predict` prints."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

from ubtest.cli.output import json_text
from ubtest.handoff.prediction.budget import Budget
from ubtest.handoff.prediction.device import Device
from ubtest.handoff.prediction.fault import Answer, Finding
from ubtest.handoff.prediction.iommu import Iommu
from ubtest.handoff.prediction.kernels import KERNELS
from ubtest.handoff.prediction.prediction import Prediction

_DERIVED = ("driver", "answer", "group", "opens", "dma", "msi")


def as_json(prediction: Prediction) -> str:
    """All of it, with what follows for each device."""
    plain = dataclasses.asdict(prediction)
    for device, said in zip(prediction.devices, plain["devices"], strict=True):
        said |= {name: getattr(device, name) for name in _DERIVED}
    for budget, said in zip(prediction.budgets, plain["budgets"], strict=True):
        said["needs"] = {kernel.version: budget.needs(kernel) for kernel in KERNELS}
    return json_text(plain)


def lines(prediction: Prediction) -> Iterator[str]:
    """The machine, one line a device, then each fault with its mending, then the verdict."""
    yield from _machine(prediction)
    yield ""
    yield from _table(prediction.asked)
    yield from _faults(prediction.asked)
    if any(each.bus == "platform" for each in prediction.asked):
        yield ""
        yield "vfio-platform: Debian's kernels lack it (VFIO_PLATFORM is not set); build the module"
    yield ""
    yield from (f"not in the tree: {each}" for each in prediction.unknown)
    yield ""
    yield _verdict(prediction.asked)


def _machine(prediction: Prediction) -> Iterator[str]:
    yield from (f"IOMMU  {_iommu(each)}" for each in prediction.iommus)
    if not prediction.iommus:
        yield "IOMMU  none"
    for (name, isolates, enabled), count in Counter(
        (next(iter(each.compatible), "?"), each.isolates, each.enabled) for each in prediction.msi
    ).items():
        many = f"{count} x " if count > 1 else ""
        off = "" if enabled else ", disabled"
        yield f"MSI    {many}{name}: {'isolated' if isolates else 'not isolated'}{off}"
    yield from (f"banks  {_budget(each)}" for each in prediction.budgets)
    folded: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for each in prediction.foldings:
        stream = f"{each.stream:#x} on bus {each.bus:02x}"
        folded.setdefault((each.host, each.slots), []).append(stream)
    for (host, slots), streams in folded.items():
        numbers = " ".join(f"{slot:02x}" for slot in slots)
        yield f"mask   {host}: slots {numbers} have one stream ID: {', '.join(streams)}"


def _iommu(iommu: Iommu) -> str:
    parts = [
        iommu.kind.value,
        "enabled" if iommu.enabled else "disabled",
        "" if iommu.coherent else "not dma-coherent",
        f"stream-match-mask {iommu.stream_mask:#x}" if iommu.stream_mask else "",
        f"at most {iommu.banks} context banks" if iommu.banks is not None else "",
    ]
    said = ", ".join(filter(None, parts))
    return f"{iommu.path}  {next(iter(iommu.compatible), '?')}: {said}"


def _budget(budget: Budget) -> str:
    needs = ", ".join(f"{budget.needs(kernel)} on {kernel.version}" for kernel in KERNELS)
    limit = "?" if budget.banks is None else budget.banks
    return (
        f"{budget.iommu}: {budget.groups} groups translate with every driver bound"
        f" ({budget.entries} stream-map entries); with one VFIO container {needs}, of {limit}"
    )


def _table(devices: Sequence[Device]) -> Iterator[str]:
    head = ("device", "driver", "stream ID", "shares its group with", "passthrough")
    rows = [head, *(_row(each) for each in devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(device: Device) -> tuple[str, ...]:
    streams = " ".join(
        f"{each.number:#x}" + (f"/{each.mask:#x}" if each.mask else "") for each in device.streams
    )
    why = ", ".join(dict.fromkeys(each.fault.value for each in device.findings))
    answer = f"{device.answer.value}: {why}" if why else device.answer.value
    return device.name, device.driver, streams or "-", " ".join(device.shares) or "-", answer


def _faults(devices: Sequence[Device]) -> Iterator[str]:
    """Each fault once, with those that it concerns."""
    concerned: dict[Finding, list[str]] = {}
    for device in devices:
        for finding in device.findings:
            concerned.setdefault(finding, []).append(device.name)
    for finding, names in concerned.items():
        who = "all" if len(names) == len(devices) > 1 else ", ".join(names)
        yield ""
        yield f"{finding.fault.value} ({finding.fault.answer.value}): {who}"
        yield f"  {finding.what}"
        yield from (f"    {line}" for line in finding.fix)
    notes = [(device.name, note) for device in devices for note in device.live]
    if notes:
        yield ""
    yield from (f"needs the live PCI bus: {name}: {note}" for name, note in notes)


def _verdict(devices: Sequence[Device]) -> str:
    count = {answer: sum(each.answer is answer for each in devices) for answer in Answer}
    if not devices:
        return "verdict: the tree has nothing to pass through"
    return (
        f"verdict: {count[Answer.YES]} of {len(devices)} can be passed through,"
        f" {count[Answer.CONDITION]} on a condition, {count[Answer.NO]} not"
    )
