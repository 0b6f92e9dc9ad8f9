"""What a dying Linux kernel prints on its console."""

import re

from ubtest.console.transcript import printable

# Linux: kernel/panic.c, arch/*/kernel/traps.c, arch/*/mm/fault.c, kernel/rcu/tree_stall.h,
# kernel/watchdog.c. At the start of a message, so that a text about one is none.
_CRASH = re.compile(
    rb"(?:^|\] )(Kernel panic - not syncing.*|Internal error: .*|Unable to handle kernel .*"
    rb"|kernel BUG at .*|rcu: INFO: rcu_\w+ (?:self-)?detected .*stall.*"
    rb"|watchdog: BUG: soft lockup.*)"
)
_END = re.compile(rb"---\[ end (?:Kernel panic|trace)|Rebooting in ")


def crash_in(line: bytes) -> str | None:
    """The first words of a crash, safe to print; None in any other line."""
    found = _CRASH.search(line)
    return printable(found[1]) if found else None


def end_of_dump(data: bytes) -> bool:
    """Whether the registers and the call trace have come."""
    return _END.search(data) is not None
