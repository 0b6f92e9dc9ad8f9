"""Random seeds in /chosen: who put them there, and that none is left for others to read."""

import re
from dataclasses import dataclass

from ubtest.formats.device_tree import DeviceTree
from ubtest.handoff.finding import Finding
from ubtest.handoff.tables import taken

SECRET = "a seed that was used cannot be read afterwards"
RANDOM = "firmware with a source of randomness gives the kernel's EFI stub a seed"
PLACED = "the kernel is at a random address when anybody gave it a seed"

_PROTOCOL = "Random Number Generator"  # as `efidebug dh` names EFI_RNG_PROTOCOL
_KASLR = re.compile(r"\] KASLR (enabled|disabled)(.*)$", re.MULTILINE)
_READY = re.compile(r"\[ *(?P<seconds>[\d.]+)\] random: crng init done")


@dataclass(frozen=True)
class Seeds:
    """What one boot shows of them.

    :param protocol: the firmware has EFI_RNG_PROTOCOL; None where that is not known.
    :param table: the EFI stub gave the kernel what that protocol gave it.
    :param held: names of the seeds in the tree that U-Boot held.
    :param left: names of seeds that are still in the kernel's tree and not zero.
    :param kaslr: what the kernel says of its address; empty when it says nothing.
    :param ready: seconds after which the kernel's generator was ready; None when it was not.
    """

    protocol: bool | None
    table: bool
    held: tuple[str, ...]
    left: tuple[str, ...]
    kaslr: str
    ready: float | None


def seeds(handles: str, log: str, before: DeviceTree, after: DeviceTree) -> Seeds:
    """The facts.

    :param handles: what ``efidebug dh`` printed; empty where it was not asked.
    """
    named = _KASLR.search(log)
    ready = _READY.search(log)
    return Seeds(
        _PROTOCOL in handles if handles else None,
        "RNG" in taken(log),
        tuple(name for name in ("kaslr-seed", "rng-seed") if _value(before, name)),
        tuple(name for name in ("kaslr-seed", "rng-seed") if any(_value(after, name))),
        named[1] + named[2] if named else "",
        float(ready["seconds"]) if ready else None,
    )


def _value(tree: DeviceTree, name: str) -> bytes:
    return tree.chosen.properties.get(name, b"") if tree.chosen else b""


def findings(found: Seeds, *, uefi: bool) -> list[Finding]:
    """The rules that do not hold.

    :param uefi: the kernel was started through its EFI stub.
    """
    wrong = [Finding(SECRET, f"/chosen {name} is still there") for name in found.left]
    if uefi and found.protocol and not found.table:
        wrong.append(Finding(RANDOM, "EFI_RNG_PROTOCOL is there, the kernel has no RNG table"))
    if uefi and found.protocol is False and found.table:
        wrong.append(Finding(RANDOM, "the kernel has an RNG table without EFI_RNG_PROTOCOL"))
    given = found.held or (uefi and found.table)
    if given and not found.kaslr.startswith("enabled"):
        wrong.append(Finding(PLACED, f"KASLR {found.kaslr or 'is not mentioned'}"))
    return wrong
