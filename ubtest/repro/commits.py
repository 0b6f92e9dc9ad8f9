"""Commits that a line names, and the tag that says what one repairs."""

import re
from collections.abc import Iterator

_HASH = r"(?=[0-9a-f]*\d)[0-9a-f]"
_COMMIT = re.compile(
    rf"(?:\bcommit:? |\bcommits? |\brevision |\bbisect\w* (?:\w+ ){{0,3}}to |-g)({_HASH}{{7,40}})\b"
    rf"|\b({_HASH}{{7,40}}) \(\""
    rf"|\b({_HASH}{{40}})\b"
    rf"|\b({_HASH}{{7,40}}) is the first bad commit",
    re.IGNORECASE,
)
_FIXES = re.compile(rf"\s*Fixes: ({_HASH}{{7,40}}\b.{{0,200}})")


def commits(text: str) -> Iterator[str]:
    """Hashes, as long as they stand there."""
    for found in _COMMIT.finditer(text):
        yield next(group for group in found.groups() if group).lower()


def fixes(text: str) -> Iterator[str]:
    """What follows `Fixes:`."""
    if found := _FIXES.match(text):
        yield found[1].strip()
