"""PCI as the firmware left it, and what the kernel made of it."""

import pytest

from ubtest.handoff import pci

pytestmark = pytest.mark.needs("linux")


def test_the_kernel_reads_what_the_firmware_wrote(plain):
    found = pci.at_firmware(plain.survey)
    read = pci.scanned(plain.log)
    assert read
    assert {name: each.bars for name, each in found.items() if each.bars} == read


def test_bars_and_buses_stay_with_probe_only(rich):
    before, now = pci.at_firmware(rich.survey), pci.at_kernel(rich.survey)
    assert {name: each.bars for name, each in before.items()} == {
        name: each.bars for name, each in now.items()
    }
    (bridge,) = [each for each in now.values() if each.is_bridge]
    assert bridge.buses == before[bridge.name].buses == (0, 1, 1)
    assert any(name.startswith("0000:01:") and each.bars for name, each in now.items())


def test_a_kernel_that_moves_them_all_the_same_is_caught(plain, rich):
    rules = {each.rule for each in pci.findings(plain.survey, rich.before)}
    assert rules == {pci.KEPT}


def test_no_device_sends_interrupts_unasked(plain):
    messages = [each.interrupts for each in pci.at_kernel(plain.survey).values()]
    assert any(messages)
    assert not [each for each in messages if any(each.values())]
