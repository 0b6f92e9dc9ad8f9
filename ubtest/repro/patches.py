"""The files that a patch in a mail changes."""

import re
from collections.abc import Iterator

_CHANGED = re.compile(r"\+\+\+ b/(\S{1,300})|--- a/(\S{1,300})")


def patches(text: str) -> Iterator[str]:
    """The file that a line of a patch names."""
    if found := _CHANGED.match(text):
        yield found[1] or found[2]
