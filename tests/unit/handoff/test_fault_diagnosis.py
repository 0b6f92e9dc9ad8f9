"""The rules on recorded surveys: each fault has its own diagnosis, and no rule takes another's."""

import pytest
from recorded import RECORDED, Recorded

from ubtest.cases.handoff_faults import BY_NOTHING, NOT_TOLD
from ubtest.errors import CaseError
from ubtest.handoff.explanation import RULES, State, Verdict, explain, judge
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import Survey

each = pytest.mark.parametrize("recorded", RECORDED, ids=str)
NOT_IN_THE_MATRIX = {"iommu-not-probed"}


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


def good() -> Survey:
    chosen = next(e for e in RECORDED if str(e) == "targets-set-up.3.6.1")
    return chosen.survey


EDU = "0000:00:12.0"


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


def test_dma_that_failed_is_never_ok():
    survey = good()
    lines = survey.probes[EDU].replace('"same":512', '"same":0')
    lines = lines.replace('"step":"dma","ok":true', '"step":"dma","ok":false')
    verdict = judge(Target(survey.probed(EDU, lines.encode())).facts(EDU))
    assert verdict.primary.name == "stopped-silently"


def test_banks_that_are_taken_are_counted_by_their_interrupts():
    """6.1 keeps a bank for a container that was; only /proc/interrupts knows."""
    chosen = next(e for e in RECORDED if str(e) == "iommu.passthrough.1.6.1")
    (iommu,) = Target(chosen.survey).iommus
    assert iommu.users(Target(chosen.survey).groups) == ()
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
