"""Memory that the device tree keeps from the kernel."""

from dataclasses import replace

import pytest
from handoff_plans import ENTRY, HOLE, POOL, RESERVED_MEMORY, Plan, reserved

from ubtest.formats.iomem import SYSTEM_RAM, Resource
from ubtest.formats.memory_map import MemoryType
from ubtest.handoff import memory
from ubtest.handoff.spans import Spans

pytestmark = pytest.mark.needs("linux")


def place(at: tuple[int, int]) -> Spans:
    return Spans.of([(at[0], at[0] + at[1])])


@pytest.mark.parametrize("at", [HOLE, ENTRY], ids=["no-map node", "entry in front of the tree"])
def test_is_a_hole_in_ram(rich, at):
    assert not place(at) & rich.memory.ram
    assert not place(at) - rich.memory.reserved
    kinds = {each.kind for each in rich.memory.handed if (each.start, each.end - each.start) == at}
    assert kinds == {MemoryType.RESERVED}


def test_node_without_no_map_is_ram_that_is_reserved(rich):
    assert not place(POOL) - rich.memory.ram
    assert not place(POOL) - rich.memory.reserved


def test_without_the_nodes_it_is_plain_ram(plain):
    for at in (HOLE, POOL, ENTRY):
        assert not place(at) - plain.memory.ram


def test_a_kernel_that_takes_it_all_the_same_is_caught(rich):
    (ram,) = rich.memory.installed
    careless = replace(rich.memory, iomem=(Resource(ram.start, ram.end, SYSTEM_RAM),))
    rules = {each.rule for each in memory.findings(careless)}
    assert {memory.NO_MAP, memory.KEPT, memory.ENTRY_KEPT, memory.NOT_TAKEN} <= rules


END_OF_RAM = 0x50000000  # of the board's 256 MiB
OVER_THE_END = Plan(
    tree=(*RESERVED_MEMORY, *reserved("half", (END_OF_RAM - 0x80000, 0x100000))),
)
FAR_AWAY = Plan(tree=(*RESERVED_MEMORY, *reserved("far", (0x90000000, 0x100000), "no-map")))
ON_THE_KERNEL = Plan(
    through="booti", tree=(*RESERVED_MEMORY, *reserved("over", (0x40800000, 0x100000)))
)


@pytest.mark.slow
@pytest.mark.parametrize("plan", [OVER_THE_END, FAR_AWAY], ids=["over the end", "far away"])
def test_reserved_memory_outside_of_ram_is_noticed(handed_over, plan):
    found = memory.findings(handed_over(plan).memory)
    assert memory.IN_RAM in {each.rule for each in found}


@pytest.mark.slow
@pytest.mark.known_bug("reserved-memory-becomes-ram")
def test_reserved_memory_outside_of_ram_does_not_become_ram(handed_over):
    found = memory.findings(handed_over(OVER_THE_END).memory)
    assert memory.NOT_INVENTED not in {each.rule for each in found}


@pytest.mark.slow
def test_reserved_memory_on_the_kernel_is_noticed(handed_over):
    found = memory.findings(handed_over(ON_THE_KERNEL).memory)
    assert memory.NOT_KERNEL in {each.rule for each in found}
