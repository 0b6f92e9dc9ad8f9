"""Who reported a bug."""

import re
from collections.abc import Iterator

from ubtest.repro.message import Evidence, Found, Message

_REPORTED = re.compile(r"\s*Reported-by: (\S.{0,200})")


def reported_by(text: str) -> Iterator[str]:
    """What follows `Reported-by:`."""
    if found := _REPORTED.match(text):
        yield found[1].strip()


def sender(message: Message) -> Iterator[Found]:
    """Who sent a report that names no reporter."""
    if message.sender:
        where = Evidence(message.number, "", 0, f"From: {message.sender}")
        yield Found(message.sender, where)
