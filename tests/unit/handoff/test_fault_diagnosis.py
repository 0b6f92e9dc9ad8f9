"""The rules on recorded surveys: each fault has its own diagnosis, and no rule takes another's."""

import pytest
from recorded_surveys import RECORDED, Recorded

from ubtest.cases.handoff_faults import BY_NOTHING, NOT_TOLD
from ubtest.errors import CaseError
from ubtest.handoff.explanation import RULES, State, Verdict, explain, judge
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import Survey

each = pytest.mark.parametrize("recorded", RECORDED, ids=str)
EDU = "0000:00:12.0"
NOT_IN_THE_MATRIX = {"no-reset", "in-use"}  # tests/board/handoff: test_vfio_platform, test_vfio


def verdicts(recorded: Recorded) -> dict[str, Verdict]:
    explained = explain(recorded.survey, recorded.expected).verdicts
    return {each.facts.device.name: each for each in explained}


@each
def test_the_primary_diagnosis(recorded: Recorded):
    for name, verdict in verdicts(recorded).items():
        expected = recorded.expected[name]
        if expected.name in (BY_NOTHING, NOT_TOLD):
            assert verdict.diagnoses == ()
            assert verdict.exit_code == (0 if expected.name == BY_NOTHING else 2)
        else:
            assert verdict.primary.name == expected.name
            assert verdict.primary.step.startswith(expected.step)
            assert verdict.exit_code == 1


@each
def test_no_other_rule_fits(recorded: Recorded):
    """The confusion matrix: off its diagonal is nothing."""
    target = Target(recorded.survey)
    for name, expected in recorded.expected.items():
        facts = target.facts(name)
        fits = {rule for rule, holds in RULES.items() if holds(facts) is not None}
        assert fits == {expected.name, *expected.then} - {BY_NOTHING, NOT_TOLD}


def test_every_rule_is_in_the_matrix():
    names = {e.name for each in RECORDED for e in each.expected.values()}
    assert set(RULES) - NOT_IN_THE_MATRIX == names - {BY_NOTHING, NOT_TOLD}


@each
def test_nothing_is_claimed_that_was_not_seen(recorded: Recorded):
    """DMA is ok only where the probe compared bytes, an interrupt only where one arrived."""
    for verdict in verdicts(recorded).values():
        probed = verdict.facts.probed
        states = {layer.layer.value: layer.state for layer in verdict.layers}
        assert (states["dma"] is State.OK) == (probed.moved is True and states["vfio"] is State.OK)
        if states["interrupts"] is State.OK:
            assert probed.arrived("MSI") or probed.arrived("INTx")


@each
def test_each_diagnosis_says_whose_it_is_and_what_to_do(recorded: Recorded):
    for verdict in verdicts(recorded).values():
        for said in verdict.diagnoses:
            assert said.cause
            assert said.fix
            assert said.step


def survey_of(name: str) -> Survey:
    return next(each for each in RECORDED if str(each) == name).survey


def good() -> Survey:
    return survey_of("targets-set-up.3.6.1")


def without(survey: Survey, *names: str) -> Survey:
    return Survey({name: c for name, c in survey.files.items() if name not in names})


def test_a_good_device():
    verdict = judge(Target(good()).facts(EDU))
    assert [each.state for each in verdict.layers] == [State.OK] * 5
    assert verdict.exit_code == 0


def test_an_iommu_that_no_driver_has():
    spoilt = without(good(), "iommus", "groups", "links", f"probe/{EDU}")
    links = b"\n".join(
        line for line in good().files["links"].splitlines() if b"iommu_group" not in line
    )
    verdict = judge(Target(Survey({**spoilt.files, "links": links})).facts(EDU))
    assert [each.name for each in verdict.diagnoses] == ["iommu-not-probed"]


def test_a_platform_device_that_cannot_be_reset():
    slot = "a000000.virtio_mmio"
    survey = survey_of("no-bank-for-the-container.1.6.1")
    log = f"[ 9.0] vfio-platform {slot}: No reset function found for device {slot}\n"
    files = {
        **survey.files,
        "drivers": b"/sys/bus/platform/drivers/vfio-platform\n",
        "dmesg": survey.files["dmesg"] + log.encode(),
    }
    lines = f'{{"device":"{slot}","step":"open group","ok":false,"errno":2}}'
    verdict = judge(Target(Survey(files).probed(slot, lines.encode())).facts(slot))
    assert [each.name for each in verdict.diagnoses] == ["no-reset"]


def test_dma_that_failed_is_never_ok():
    survey = good()
    lines = survey.probes[EDU].replace('"same":512', '"same":0')
    lines = lines.replace('"step":"dma","ok":true', '"step":"dma","ok":false')
    verdict = judge(Target(survey.probed(EDU, lines.encode())).facts(EDU))
    assert verdict.primary.name == "stopped-silently"


def test_banks_that_are_taken_are_counted_by_their_interrupts():
    """6.1 keeps a bank for a container that was; only /proc/interrupts knows."""
    target = Target(survey_of("iommu.passthrough.1.6.1"))
    (iommu,) = target.iommus
    assert iommu.users(target.groups) == ()
    assert (iommu.banks, iommu.taken) == (4, 1)


def test_an_interrupt_that_did_not_arrive_is_told_without_a_rule():
    survey = good()
    lines = survey.probes[EDU].replace(
        '"step":"interrupt","ok":true,"kind":"MSI"', '"step":"interrupt","ok":false,"kind":"MSI"'
    )
    verdict = judge(Target(survey.probed(EDU, lines.encode())).facts(EDU))
    assert verdict.primary.name == "unexplained"
    assert verdict.primary.layer.value == "interrupts"


def test_a_probe_that_was_cut_off_is_no_success():
    survey = good()
    lines = survey.probes[EDU].partition('{"device":"0000:00:12.0","step":"read BAR"')[0]
    verdict = judge(Target(survey.probed(EDU, lines.encode())).facts(EDU))
    assert verdict.exit_code == 1


def test_a_target_without_a_device_tree_is_judged_by_the_rest():
    """As with ACPI: the layer is not proven, the others are."""
    verdict = judge(Target(without(good(), "fdt")).facts(EDU))
    assert verdict.layers[0].state is State.NOT_PROVEN
    assert [each.state for each in verdict.layers[1:]] == [State.OK] * 4
    assert verdict.exit_code == 2


def test_a_broken_device_tree_is_no_crash():
    survey = good()
    for size in (0, 3, 40, 2000):
        cut = Survey({**survey.files, "fdt": survey.files["fdt"][:size]})
        assert judge(Target(cut).facts(EDU)).layers[0].state is State.NOT_PROVEN


def test_a_device_that_is_not_there():
    with pytest.raises(CaseError, match="no device f2000000"):
        explain(good(), ["f2000000.ethernet"])


def changed(survey: Survey, name: str, old: bytes, new: bytes) -> Survey:
    assert old in survey.files[name]
    return Survey({**survey.files, name: survey.files[name].replace(old, new)})


@pytest.mark.parametrize(
    ("survey", "name"),
    [
        (
            changed(survey_of("no-stream-map-entry.0.6.1"), "dmesg", b"3 register", b"16 register"),
            "0000:00:10.0",
        ),
        (Survey({**survey_of("SMMU-not-coherent.0.6.1").files, "fdt": good().files["fdt"]}), EDU),
        (Survey({**survey_of("GICv2m.0.6.1").files, "fdt": good().files["fdt"]}), EDU),
    ],
    ids=["entries are left", "the SMMU is coherent", "MSIs are isolated"],
)
def test_a_symptom_without_its_cause_is_not_explained(survey, name):
    """The kernel refuses in the same way, and what the rule blames is not so."""
    verdict = judge(Target(survey).facts(name))
    assert [each.name for each in verdict.diagnoses] == ["unexplained"]


def test_events_of_one_device_are_not_blamed_on_another():
    survey = survey_of("all-stream-IDs-off-by-0x100.0.6.1")
    other = "0000:00:11.0"
    log = survey.files["dmesg"] + f"[ 9.0] vfio-probe: {other} begins\n".encode()
    lines = survey.probes[EDU].replace(EDU, other).encode()
    target = Target(Survey({**survey.files, "dmesg": log}).probed(other, lines))
    assert judge(target.facts(EDU)).primary.name == "wrong-stream"
    assert judge(target.facts(other)).primary.name == "stopped-silently"
