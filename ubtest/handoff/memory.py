"""Whether the kernel's memory is what the firmware's memory map and the device tree say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.iomem import RESERVED, SYSTEM_RAM, Resource
from ubtest.formats.memory_map import ARM_PAGE, PAGE, MemoryType, Region
from ubtest.handoff.finding import Finding
from ubtest.handoff.spans import Span, Spans

NOT_TAKEN = "what the firmware keeps is no System RAM"
NOT_LOST = "all memory of the map that is free is System RAM"
NOT_INVENTED = "System RAM is memory of the map, and of the /memory nodes"
TABLES_KEPT = "ACPI reclaim memory stays reserved"
NO_MAP = "a no-map node of /reserved-memory is a hole in System RAM"
KEPT = "a node of /reserved-memory is reserved"
ENTRY_KEPT = "an entry of the tree's memory reservations is not used as RAM"
IN_RAM = "reserved memory is inside of RAM"
NOT_KERNEL = "reserved memory is not where the kernel lies"
UNCHANGED = "what the firmware kept at its prompt it keeps at handoff"
WHOLE_PAGES = "the map has whole pages, none of them twice"
ONE_KIND = "inside of 64 KiB that hold runtime memory all cache attributes are alike"

_CACHE = frozenset({"UC", "WC", "WT", "WB", "UCE", "WP", "RP", "XP", "RO"})
_KERNEL = ("Kernel code", "Kernel data")


@dataclass(frozen=True)
class Reserved:
    """One range that the device tree keeps from the kernel.

    :param name: the node's path, or that of the block of reservations.
    """

    span: Span
    name: str
    no_map: bool = False


@dataclass(frozen=True)
class Memory:
    """All that is known about the memory of one boot.

    :param prompt: the map as it was at the firmware's prompt; empty where that is not known.
    :param handed: the map that the kernel got; empty when it was booted without UEFI.
    :param iomem: /proc/iomem.
    :param tree: the device tree that the firmware handed over.
    """

    prompt: tuple[Region, ...]
    handed: tuple[Region, ...]
    iomem: tuple[Resource, ...]
    tree: DeviceTree

    @property
    def ram(self) -> Spans:
        """What the kernel uses as memory."""
        return Spans.of((r.start, r.end) for r in self.iomem if r.name == SYSTEM_RAM)

    @property
    def reserved(self) -> Spans:
        """What is in that, or beside it, and kept."""
        found = (r for top in self.iomem for r in top.walk() if r.name == RESERVED)
        return Spans.of((r.start, r.end) for r in found)

    @property
    def kernel(self) -> Spans:
        """Where the kernel itself lies."""
        found = (r for top in self.iomem for r in top.walk() if r.name in _KERNEL)
        return Spans.of((r.start, r.end) for r in found)

    @property
    def installed(self) -> Spans:
        """The memory that the /memory nodes of the tree name."""
        nodes = (n for n in self.tree.root.nodes.values() if n.string("device_type") == "memory")
        return Spans.of((at, at + size) for node in nodes for at, size in node.reg)


def reserved_by(tree: DeviceTree) -> tuple[Reserved, ...]:
    """What a device tree reserves: nodes with a place of their own that are not disabled, and the
    entries of the block of reservations."""
    home = tree.root.nodes.get("reserved-memory")
    nodes = home.nodes.values() if home else ()
    return (
        *(
            Reserved(Span(at, at + size), node.path, "no-map" in node.properties)
            for node in nodes
            if node.enabled
            for at, size in node.reg
        ),
        *(
            Reserved(Span(each.address, each.address + each.size), "/memreserve/")
            for each in tree.reservations
        ),
    )


def findings(memory: Memory) -> list[Finding]:
    """Every rule that does not hold; none for a boot that is right."""
    found = [*_of_map(memory.handed), *_of_tree(memory)]
    if memory.handed:
        found += [*_of_uefi(memory), *_since_prompt(memory)]
    return found


def _of_map(regions: tuple[Region, ...]) -> Iterator[Finding]:
    for each in regions:
        if each.start % PAGE or each.end % PAGE or each.end <= each.start:
            yield Finding(WHOLE_PAGES, f"{each}")
    ordered = sorted(regions, key=lambda each: each.start)
    for one, other in pairwise(ordered):
        if other.start < one.end:
            yield Finding(WHOLE_PAGES, f"{one} and {other}")
    kept = [each for each in ordered if each.runtime or each.kind is MemoryType.ACPI_NVS]
    for each in kept:
        around = Span(each.start // ARM_PAGE * ARM_PAGE, -(-each.end // ARM_PAGE) * ARM_PAGE)
        near = [other for other in ordered if around.meets(Span(other.start, other.end))]
        if len({other.attributes & _CACHE for other in near}) > 1:
            yield Finding(ONE_KIND, ", ".join(map(str, near)))


def _of_uefi(memory: Memory) -> Iterator[Finding]:
    free = _spans(each for each in memory.handed if each.usable)
    kept = _spans(each for each in memory.handed if each.is_memory and not each.usable)
    tables = _spans(each for each in memory.handed if each.kind is MemoryType.ACPI_RECLAIM)
    holes = Spans.of((r.span.start, r.span.end) for r in reserved_by(memory.tree) if r.no_map)
    yield from _each(NOT_TAKEN, "used as RAM", kept & memory.ram)
    yield from _each(NOT_LOST, "free in the map, not used", free - memory.ram - holes)
    yield from _each(NOT_INVENTED, "used as RAM, not free in the map", memory.ram - free - kept)
    yield from _each(TABLES_KEPT, "not reserved", (tables & memory.ram) - memory.reserved)


def _of_tree(memory: Memory) -> Iterator[Finding]:
    if memory.installed:
        extra = memory.ram - memory.installed
        yield from _each(NOT_INVENTED, "used as RAM, in no /memory node", extra)
    for each in reserved_by(memory.tree):
        here = Spans.of([(each.span.start, each.span.end)])
        if outside := here - memory.installed if memory.installed else Spans():
            yield Finding(IN_RAM, f"{each.name}: {outside} is not in RAM")
        if over := here & memory.kernel:
            yield Finding(NOT_KERNEL, f"{each.name}: the kernel is in {over}")
        if each.no_map:
            if taken := here & memory.ram:
                yield Finding(NO_MAP, f"{each.name}: {taken} is System RAM")
        elif free := (here & memory.ram) - memory.reserved:
            rule = ENTRY_KEPT if each.name == "/memreserve/" else KEPT
            yield Finding(rule, f"{each.name}: {free} is System RAM and not reserved")


def _since_prompt(memory: Memory) -> Iterator[Finding]:
    """From the prompt on, memory for the runtime may be added and none may be given up."""
    promised = _spans(each for each in memory.prompt if each.is_memory and not each.usable)
    kept = _spans(each for each in memory.handed if not each.usable)
    yield from _each(UNCHANGED, "kept at the prompt, free at handoff", promised - kept)
    if memory.prompt:
        before, after = _spans(memory.prompt), _spans(memory.handed)
        yield from _each(NOT_LOST, "in the map at the prompt only", before - after)
        yield from _each(NOT_INVENTED, "in the map at handoff only", after - before)


def _each(rule: str, what: str, spans: Spans) -> Iterator[Finding]:
    for span in spans:
        yield Finding(rule, f"{span} is {what}")


def _spans(regions: Iterable[Region]) -> Spans:
    return Spans.of((each.start, each.end) for each in regions)
