"""NOR flash contents: where two of them differ."""

BLOCK = 4096


def changed_ranges(before: bytes, after: bytes) -> list[range]:
    """The ranges of bytes that differ, joined where they touch in the same 4 KiB block.

    :raises ValueError: they differ in size.
    """
    if len(before) != len(after):
        raise ValueError(f"two flashes of {len(before)} and {len(after)} bytes")
    found: list[range] = []
    for start in range(0, len(before), BLOCK):
        old, new = before[start : start + BLOCK], after[start : start + BLOCK]
        if old == new:
            continue
        different = [at for at in range(len(old)) if old[at] != new[at]]
        first, last = start + different[0], start + different[-1] + 1
        if found and found[-1].stop == first:
            found[-1] = range(found[-1].start, last)
        else:
            found.append(range(first, last))
    return found
