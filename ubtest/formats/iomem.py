"""/proc/iomem: what the kernel believes about physical addresses (kernel/resource.c)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ubtest.formats.record import FormatError

SYSTEM_RAM = "System RAM"
RESERVED = "reserved"
_LINE = re.compile(r"^(?P<deep> *)(?P<start>[0-9a-f]+)-(?P<last>[0-9a-f]+) : (?P<name>.*)$")


@dataclass(frozen=True)
class Resource:
    """One line with those below it.

    :param end: the first byte behind it.
    """

    start: int
    end: int
    name: str
    inside: "list[Resource]" = field(default_factory=list)

    def walk(self) -> "Iterator[Resource]":
        yield self
        for each in self.inside:
            yield from each.walk()


def parse_iomem(text: str) -> tuple[Resource, ...]:
    """The resources at the top, each with what is inside.

    :raises FormatError: a line of another form, or all addresses zero, as a reader who is not
        root sees them.
    """
    top: list[Resource] = []
    above: list[list[Resource]] = [top]
    for line in text.splitlines():
        row = _LINE.match(line)
        depth = len(row["deep"]) // 2 if row else 0
        if row is None or depth >= len(above):
            raise FormatError(f"/proc/iomem: {line!r}")
        found = Resource(int(row["start"], 16), int(row["last"], 16) + 1, row["name"])
        del above[depth + 1 :]
        above[depth].append(found)
        above.append(found.inside)
    if top and all(each.end == 1 for each in top):
        raise FormatError("/proc/iomem: all addresses are zero, its reader was not root")
    return tuple(top)
