"""For comparison: the same kernel started by hand, without UEFI."""

import pytest
from handoff_plans import BY_HAND

from ubtest.handoff import device_tree, memory, pci, seeds

pytestmark = pytest.mark.needs("linux")


@pytest.fixture
def by_hand(handed_over):
    return handed_over(BY_HAND)


def test_there_is_no_uefi(by_hand):
    assert not by_hand.uefi
    assert "efi: UEFI not found." in by_hand.log
    assert not [name for name in by_hand.survey.files if name.startswith("sys/firmware/efi")]


def test_the_tree_differs_in_the_named_ways_only(by_hand):
    assert device_tree.findings(by_hand.before, by_hand.after, by_hand.told) == []
    names = {each.name for each in device_tree.changes(by_hand.before, by_hand.after)}
    assert {"linux,initrd-start", "linux,initrd-end", "bootargs"} <= names
    assert not [name for name in names if "uefi" in name]


def test_memory_seeds_and_pci_hold_as_well(by_hand):
    assert memory.findings(by_hand.memory) == []
    assert seeds.findings(by_hand.seeds, uefi=False) == []
    assert pci.findings(by_hand.survey, by_hand.before) == []
