"""Who reported a bug."""

import re
from collections.abc import Iterator

from ubtest.repro.message import Evidence, Found, Kind, Message, evidence_of

_REPORTED = re.compile(r"\s*Reported-by: (\S.{0,200})")

_QUOTED = re.compile(r"\s*(?:From|Von): (\S.{0,200})|([^,<>]{1,80}<[^<>]{3,80}>) (?:wrote|schrieb)")


def reported_by(text: str) -> Iterator[str]:
    """What follows `Reported-by:`."""
    if found := _REPORTED.match(text):
        yield found[1].strip()


def sender(message: Message) -> Iterator[Found]:
    """Who sent a report that names no reporter; of one that is quoted, whom the reply quotes."""
    for part in message.parts:
        for line in part.lines:
            found = _QUOTED.search(line.text) if line.kind is Kind.ATTRIBUTION else None
            if found:
                yield Found((found[1] or found[2]).strip(), evidence_of(message, part, line))
                return
    if message.sender:
        where = Evidence(message.number, "", 0, f"From: {message.sender}")
        yield Found(message.sender, where)
