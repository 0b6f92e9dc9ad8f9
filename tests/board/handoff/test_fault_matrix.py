"""Every fault is injected from U-Boot, shows on a real kernel, and gets its own diagnosis."""

import json

import pytest

from ubtest.cases import handoff_faults, mmu500
from ubtest.cases.handoff_faults import BY_NOTHING, NOT_TOLD, Expected, FaultyBoot, Look
from ubtest.handoff.binding import examine
from ubtest.handoff.explanation import Verdict, explain
from ubtest.kernel.bundle import DEFAULT, find
from ubtest.lab.linux_boot import LinuxBoot

pytestmark = pytest.mark.needs("linux")

BOOTS = (*handoff_faults.BOOTS, *mmu500.BOOTS)
ROWS = [
    pytest.param(
        boot,
        kernel,
        id=f"{boot.id}-{kernel}",
        marks=() if boot.quick and kernel == DEFAULT else pytest.mark.slow,
    )
    for kernel in (DEFAULT, "debian:6.12")
    for boot in BOOTS
]


def said(verdict: Verdict) -> Expected:
    """A verdict in the words of the table."""
    names = tuple(each.name for each in verdict.diagnoses)
    if not names:
        return Expected(BY_NOTHING if verdict.exit_code == 0 else NOT_TOLD)
    return Expected(names[0], verdict.diagnoses[0].step, names[1:])


def wrong(got: Expected, expected: Expected) -> bool:
    same = (got.name, got.then) == (expected.name, expected.then)
    return not same or not got.step.startswith(expected.step)


@pytest.mark.parametrize(("boot", "kernel"), ROWS)
def test_a_fault_gets_its_own_diagnosis(board, results, boot: FaultyBoot, kernel: str):
    bundle = find(kernel)
    machine = board.machine
    shape = {"machine": boot.machine} if boot.machine else {}
    if boot.devices:
        shape["devices"] = (*machine.declared_devices, *boot.devices)
    machine.shape(**shape)
    linux = LinuxBoot(bundle, arguments=boot.arguments, tree=boot.tree, commands=boot.commands)
    shell = board.linux(linux)

    mistaken = {}
    for number, look in enumerate(boot.looks):
        for name, (got, expected) in rows(shell, results, look, bundle.version, number):
            if wrong(got, expected):
                mistaken[f"look {number}: {name}"] = f"{got} in place of {expected}"

    assert mistaken == {}


def rows(shell, results, look: Look, version: str, number: int):
    if look.prepare:
        shell.check(look.prepare)
    expected = look.expected(version)
    survey = examine(shell, expected, prepare=look.modules)
    survey.save(results.folder / f"look{number}.tar.gz")
    explanation = explain(survey, expected)
    got = {each.facts.device.name: said(each) for each in explanation.verdicts}
    for verdict in explanation.verdicts:
        probed = verdict.facts.probed
        if None not in (probed.moved, probed.arrived("MSI")):
            # An MSI is a write: it goes the way of the data
            assert (probed.arrived("INTx"), probed.arrived("MSI")) == (True, probed.moved)
    results.keep(f"look{number}.json", json.dumps({n: repr(e) for n, e in got.items()}, indent=1))
    assert got.keys() == expected.keys()
    return ((name, (got[name], expected[name])) for name in expected)
