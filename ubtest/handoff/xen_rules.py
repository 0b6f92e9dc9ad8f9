"""Whether Xen and dom0 got what U-Boot had to give: memory, files, device tree."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations

from ubtest.handoff import device_tree
from ubtest.handoff.device_tree import Allowed, Setting
from ubtest.handoff.finding import Finding
from ubtest.handoff.memory import Reserved, reserved_by
from ubtest.handoff.spans import Spans
from ubtest.handoff.xen import XenHandoff
from ubtest.media.disk import MiB

# What U-Boot keeps between its prompt and the end of boot services, and no log names: its copy of
# the device tree with the room in it, and tables. Measured: 56 KiB, 120 KiB for an edited tree
KEPT_LATER = 256 * 1024
XEN_OWN = 32  # MiB that Xen takes for itself and for dom0's page tables; measured: 17

NOT_INVENTED = "Xen's RAM is free memory of the firmware's map, and in the /memory nodes"
NOT_LOST = "all free memory of the firmware's map is Xen's RAM"
KEPT = "what the device tree reserves is not given away"
COUNTED = "`xl info` counts the RAM that Xen found"
MODULES = "each file is in RAM, whole, and none lies in another"
DOM0_MEMORY = "dom0 has as much memory as dom0_mem says"
DOM0_RAM = "dom0's System RAM is what Xen gave it"
DOM0_TREE = "dom0's device tree is U-Boot's but for what Xen has to change"
NO_UEFI = "dom0 has no UEFI: Xen keeps the tables, and offers none of the services"

# What Xen owns, emulates or is told in dom0's place (xen/arch/arm/domain_build.c)
CHANGED = (
    Allowed("/hypervisor", ".*", "Xen", "how Linux finds out that it is dom0"),
    Allowed("/chosen", "bootargs", "Xen", "what xen.cfg says behind the kernel"),
    Allowed("/chosen", "linux,initrd-(start|end)", "Xen", "where the ramdisk is for dom0"),
    Allowed("/chosen", "(linux,)?stdout-path", "Xen", "it has the console"),
    Allowed("/chosen", "(kaslr|rng)-seed", "U-Boot or the kernel", "used and overwritten"),
    Allowed("/chosen", "u-boot,version", "U-Boot", "says who handed over"),
    Allowed("/chosen", "#(address|size)-cells|ranges", "Xen", "for the list of its modules"),
    Allowed("/(pl011|serial|uart)@[0-9a-f]+", ".*", "Xen", "its console"),
    Allowed("/memory@[0-9a-f]+", ".*", "Xen", "dom0's part"),
    Allowed("/(cpus|psci|timer)(/.*)?", ".*", "Xen", "it emulates them"),
    Allowed("/pmu", ".*", "Xen", "it keeps the counters"),
    Allowed("/(intc|interrupt-controller)(@[0-9a-f]+)?", ".*", "Xen", "it emulates the GIC"),
    Allowed("/intc@[0-9a-f]+/.*", ".*", "Xen", "it has no ITS and no GICv2m for dom0"),
    Allowed("/", re.escape(device_tree.ORDER), "Xen", "it writes the tree anew"),
    Allowed("/", re.escape(device_tree.RESERVATIONS), "Xen", "dom0 never had that memory"),
)


def findings(handoff: XenHandoff) -> list[Finding]:
    """Every rule that does not hold; none for a boot that is right."""
    return [
        *_of_ram(handoff),
        *_of_modules(handoff),
        *_of_info(handoff),
        *_of_dom0(handoff),
        *_of_tree(handoff),
    ]


def _of_ram(handoff: XenHandoff) -> Iterator[Finding]:
    ram, free = handoff.ram, handoff.free
    reserved = reserved_by(handoff.before)
    yield from _each(NOT_INVENTED, "Xen's RAM, not free in the map", ram - free)
    yield from _each(NOT_INVENTED, "Xen's RAM, in no /memory node", ram - _installed(handoff))
    lost = free - ram - _places(reserved)
    if lost.size > KEPT_LATER:
        yield Finding(NOT_LOST, f"{lost.size // 1024} KiB are free in the map only: {lost}")
    for each in reserved:
        given = _places([each]) & ram
        if each.name != "/memreserve/" and not each.no_map:
            given = given - Spans.of(handoff.log.kept)  # RAM that Xen leaves alone
        yield from _each(KEPT, f"Xen's RAM, reserved by {each.name}", given)


def _of_modules(handoff: XenHandoff) -> Iterator[Finding]:
    modules = handoff.log.modules
    for kind, size in handoff.sizes.items():
        start, end = modules.get(kind, (0, 0))
        if end - start != size:
            yield Finding(MODULES, f"{kind}: {end - start} bytes of {size}")
    for kind, place in modules.items():
        if outside := Spans.of([place]) - handoff.ram:
            yield Finding(MODULES, f"{kind}: {outside} is not RAM")
    for (one, place), (other, there) in combinations(modules.items(), 2):
        if both := Spans.of([place]) & Spans.of([there]):
            yield Finding(MODULES, f"{one} and {other} share {both}")


def _of_info(handoff: XenHandoff) -> Iterator[Finding]:
    total, free = (int(handoff.info.get(f"{name}_memory", -1)) for name in ("total", "free"))
    if total != handoff.ram.size // MiB:
        yield Finding(COUNTED, f"total_memory is {total}, the RAM {handoff.ram.size // MiB} MiB")
    left = total - handoff.asked // MiB
    if not left - XEN_OWN <= free <= left:
        yield Finding(COUNTED, f"free_memory is {free}, {left} MiB are not dom0's")


def _of_dom0(handoff: XenHandoff) -> Iterator[Finding]:
    given, used = handoff.dom0, handoff.dom0_ram
    if given.size != handoff.asked:
        sizes = f"{given.size // MiB} MiB of {handoff.asked // MiB}"
        yield Finding(DOM0_MEMORY, f"Xen gave it {sizes}")
    yield from _each(DOM0_MEMORY, "dom0's and not Xen's RAM", given - handoff.ram)
    yield from _each(DOM0_RAM, "given, not used", given - used)
    # Xen 4.17 also shows dom0 the reserved memory as memory
    nodes = _places(reserved_by(handoff.before))
    yield from _each(DOM0_RAM, "used, not given", used - given - nodes)
    if "efi: UEFI not found." not in handoff.dmesg:
        yield Finding(NO_UEFI, "dom0's kernel found one")


def _of_tree(handoff: XenHandoff) -> Iterator[Finding]:
    after = handoff.after
    for change in device_tree.changes(handoff.before, after):
        if not any(row.covers(change, after, Setting()) for row in CHANGED):
            yield Finding(DOM0_TREE, str(change))


def _installed(handoff: XenHandoff) -> Spans:
    """The memory that the /memory nodes name."""
    nodes = handoff.before.root.nodes.values()
    memory = (each for each in nodes if each.string("device_type") == "memory")
    return Spans.of((at, at + size) for each in memory for at, size in each.reg)


def _places(reserved: Iterable[Reserved]) -> Spans:
    return Spans.of((each.span.start, each.span.end) for each in reserved)


def _each(rule: str, what: str, spans: Spans) -> Iterator[Finding]:
    for span in spans:
        yield Finding(rule, f"{span} is {what}")
