"""Random seeds: with a source of randomness the firmware's, without one QEMU's; none stays."""

import pytest

from ubtest.handoff import seeds

pytestmark = pytest.mark.needs("linux")


def test_with_a_source_the_stub_gives_the_kernel_its_seed(rich):
    assert rich.seeds.protocol is True
    assert rich.seeds.table
    assert rich.seeds.kaslr.startswith("enabled")
    assert rich.seeds.ready == 0.0


def test_without_one_the_kernel_has_the_seed_of_the_device_tree(plain):
    assert plain.seeds.protocol is False
    assert not plain.seeds.table
    assert plain.seeds.held == ("kaslr-seed", "rng-seed")
    assert plain.seeds.kaslr.startswith("enabled")


def test_none_can_be_read_afterwards(plain, rich):
    for handoff in (plain, rich):
        assert handoff.seeds.left == ()
        assert not any(handoff.after.chosen.properties["kaslr-seed"])
        assert "rng-seed" not in handoff.after.chosen.properties


def test_a_seed_that_stays_is_caught(plain):
    left = seeds.seeds(plain.held("handles"), plain.log, plain.before, plain.before)
    rules = [each.rule for each in seeds.findings(left, uefi=True)]
    assert rules == [seeds.SECRET, seeds.SECRET]
