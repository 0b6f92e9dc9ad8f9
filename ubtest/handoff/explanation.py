"""The verdict on each device of a survey: its layers, what stands in the way, the budget."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ubtest.handoff import iommu_rules, vfio_rules
from ubtest.handoff.diagnosis import Diagnosis, Judgement, Layer, Owner, Rule
from ubtest.handoff.facts import Facts, Target
from ubtest.handoff.iommu import Way
from ubtest.handoff.survey import Survey
from ubtest.handoff.vfio import INTERRUPTS

# In the order in which a person would mend them: the first that fits is the primary one
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "no-iommu": iommu_rules.no_iommu,
        "iommu-disabled": iommu_rules.iommu_disabled,
        "no-map": iommu_rules.no_map,
        "bad-phandle": iommu_rules.bad_phandle,
        "map-too-short": iommu_rules.map_too_short,
        "iommu-not-probed": iommu_rules.iommu_not_probed,
        "no-vfio-driver": vfio_rules.no_vfio_driver,
        "no-reset": vfio_rules.no_reset,
        "stream-taken": iommu_rules.stream_taken,
        "banks-exhausted": iommu_rules.banks_exhausted,
        "entries-exhausted": iommu_rules.entries_exhausted,
        "not-coherent": iommu_rules.not_coherent,
        "in-use": vfio_rules.in_use,
        "sibling-on-host": vfio_rules.sibling_on_host,
        "no-type1": vfio_rules.no_type1,
        "no-msi-map": vfio_rules.no_msi_map,
        "unsafe-interrupts": vfio_rules.unsafe_interrupts,
        "entry-limit": vfio_rules.entry_limit,
        "wrong-mask": iommu_rules.wrong_mask,
        "wrong-stream": iommu_rules.wrong_stream,
        "stopped-silently": iommu_rules.stopped_silently,
    }
)
_NOT_BOUND = "it was not given to VFIO"


class State(enum.Enum):
    OK = "ok"
    FAILED = "failed"
    NOT_PROVEN = "not proven"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class LayerResult:
    layer: Layer
    state: State
    what: str


@dataclass(frozen=True)
class Verdict:
    """One device.

    :param diagnoses: the primary one first; what comes after it is hidden behind it as yet.
    """

    facts: Facts
    layers: tuple[LayerResult, ...]
    diagnoses: tuple[Diagnosis, ...]

    @property
    def primary(self) -> Diagnosis | None:
        return next(iter(self.diagnoses), None)

    @property
    def exit_code(self) -> int:
        """0 data moved, 1 it cannot be passed through, 2 nothing stands against it, not proven."""
        if self.diagnoses:
            return 1
        return 0 if all(each.state is State.OK for each in self.layers) else 2

    @property
    def sentence(self) -> str:
        if self.primary:
            return f"cannot be passed through: {self.primary.cause}"
        if self.exit_code == 0:
            return "can be passed through: DMA moved data and interrupts arrived"
        open_ = ", ".join(each.layer.value for each in self.layers if each.state is not State.OK)
        return f"cannot tell: nothing stands against it, but not all is proven ({open_})"


@dataclass(frozen=True)
class Explanation:
    """All devices that were asked about."""

    target: Target
    verdicts: tuple[Verdict, ...]

    @property
    def exit_code(self) -> int:
        """1 when a device cannot be passed through, else 2 when one is not told, else 0."""
        codes = {each.exit_code for each in self.verdicts}
        return 1 if 1 in codes else 2 if 2 in codes or not codes else 0


def explain(survey: Survey, names: Iterable[str] = ()) -> Explanation:
    """Judge devices of a survey.

    :param names: which; none for those that were probed, else all PCI devices but bridges.
    :raises CaseError: the target has no such device.
    """
    target = Target(survey)
    wanted = tuple(names) or target.probed
    wanted = wanted or tuple(
        name for name, each in target.devices.items() if each.bus == "pci" and not each.is_bridge
    )
    return Explanation(target, tuple(judge(target.facts(name)) for name in wanted))


def judge(facts: Facts) -> Verdict:
    """What the facts say of one device."""
    found = [
        Diagnosis(name, said.layer, said.step, said.cause, said.owner, said.fix)
        for name, rule in RULES.items()
        if (said := rule(facts)) is not None
    ]
    layers = _layers(facts, {each.layer for each in found})
    if not found:
        found += [_unexplained(each) for each in layers if each.state is State.FAILED][:1]
    return Verdict(facts, layers, tuple(found))


def _unexplained(layer: LayerResult) -> Diagnosis:
    cause = f"{layer.what}; no rule of ubtest knows why"
    said = Judgement(layer.layer, layer.what, cause, Owner.OPEN, ("# dmesg | tail",))
    return Diagnosis("unexplained", said.layer, said.step, said.cause, said.owner, said.fix)


def _layers(facts: Facts, failed: set[Layer]) -> tuple[LayerResult, ...]:
    """Each layer by its own facts; none is better than what a diagnosis says of it."""
    questions = {
        Layer.HANDOFF: _handoff,
        Layer.IOMMU: _iommu,
        Layer.VFIO: _vfio,
        Layer.INTERRUPTS: _interrupts,
        Layer.DMA: _dma,
    }
    found = list[LayerResult]()
    reached = True
    for layer, ask in questions.items():
        state, what = ask(facts) if reached else (State.NOT_REACHED, "a layer below failed")
        if layer in failed and state is not State.NOT_REACHED:
            state = State.FAILED
        found.append(LayerResult(layer, state, what))
        reached = reached and not (state is State.FAILED and layer in _BASES)
    return tuple(found)


_BASES = (Layer.HANDOFF, Layer.IOMMU, Layer.VFIO)


def _handoff(facts: Facts) -> tuple[State, str]:
    route = facts.route
    if route.way is Way.OPEN:
        return State.OK, f"{route.node} leads to {route.iommu}, stream ID {route.stream or 0:#x}"
    elsewhere = route.way is Way.NO_TREE or facts.group is not None
    return (State.NOT_PROVEN if elsewhere else State.FAILED), route.way.value


def _iommu(facts: Facts) -> tuple[State, str]:
    if facts.iommu is None and facts.group is None:
        return State.FAILED, "no driver has the IOMMU"
    if facts.group is not None:
        others = ", ".join(map(str, facts.siblings))
        name = f"group {facts.group.number} ({facts.group.kind})"
        return State.OK, name + (f" with {others}" if others else ", alone in it")
    if facts.probed.steps and facts.device.vfio_driver in facts.drivers:
        return State.FAILED, "the device has no group"
    return State.NOT_PROVEN, "no group yet: the kernel makes it when a driver probes the device"


def _vfio(facts: Facts) -> tuple[State, str]:
    if not facts.probed.steps:
        return State.NOT_PROVEN, _NOT_BOUND
    refused = [each for each in facts.probed.failed if each.name not in (*INTERRUPTS, "dma")]
    if refused:
        return State.FAILED, f"{refused[0]} ({refused[0].why})"
    if not facts.probed.opened or not facts.probed.whole:
        return State.FAILED, f"the probe ended after {facts.probed.steps[-1].name}"
    return State.OK, f"{len(facts.probed.steps)} steps passed"


def _interrupts(facts: Facts) -> tuple[State, str]:
    if not facts.probed.steps:
        return State.NOT_PROVEN, _NOT_BOUND
    steps = facts.probed.all("VFIO_DEVICE_SET_IRQS", "interrupt")
    refused = [each for each in steps if each.ok is False]
    if refused:
        return State.FAILED, f"{refused[0]}" + (" not arrived" if not refused[0].error else "")
    arrived = [str(each.said.get("kind")) for each in steps if each.name == "interrupt" and each.ok]
    if arrived:
        return State.OK, f"{', '.join(arrived)} arrived"
    kinds = ", ".join(str(each.said.get("kind")) for each in steps if each.ok)
    return State.NOT_PROVEN, f"{kinds or 'none'} could be set; none was raised" + _reason(
        facts, "interrupt"
    )


def _dma(facts: Facts) -> tuple[State, str]:
    step = facts.probed.step("dma")
    if step is None:
        return State.NOT_PROVEN, _NOT_BOUND
    if step.ok is None:
        return State.NOT_PROVEN, "no data was moved" + _reason(facts, "dma")
    said = f"{step.said.get('same')} of {step.said.get('bytes')} bytes went out and came back"
    return (State.OK if step.ok else State.FAILED), said


def _reason(facts: Facts, name: str) -> str:
    step = facts.probed.step(name)
    return f" ({step.said['why']})" if step and "why" in step.said else ""
