"""Addresses of pages that a line names."""

import re
from collections.abc import Iterator

_LINK = re.compile(r"\bhttps?://[^\s<>\"'`\\^{}|]{1,500}")


def links(text: str) -> Iterator[str]:
    """Links without the punctuation of the sentence that they stand in."""
    for found in _LINK.finditer(text):
        link = found[0].rstrip(".,;:!?")
        yield link if "(" in link else link.rstrip(")]")
