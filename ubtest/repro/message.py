"""A mail as lines of text that are safe to show: what all that reads reports starts from."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a line of a mail belongs to."""

    TEXT = "text"
    ATTRIBUTION = "attribution"  # "On Monday, somebody wrote:"
    SIGNATURE = "signature"  # from "-- " on
    PATCH = "patch"  # diff and diffstat


@dataclass(frozen=True)
class Line:
    """One line, without the marks of quoting, and without any control character.

    :param number: in its part as it was decoded, from 1.
    :param depth: how often it was quoted; 0 is the sender's own.
    """

    number: int
    text: str
    depth: int = 0
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Part:
    """The body, or an attachment that is text.

    :param name: an attachment's file name; empty for the body.
    """

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Message:
    """One mail.

    :param number: its place in the file, from 1.
    :param sender: "Name <address>"; empty where the mail does not say, as all of these.
    :param date: ISO 8601.
    :param notes: what could not be read, and why.
    """

    number: int
    subject: str = ""
    sender: str = ""
    date: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Where a fact stands.

    :param message: :attr:`Message.number`.
    :param part: :attr:`Part.name`.
    :param line: :attr:`Line.number`, of the first where several were put together; 0: the header.
    :param text: the line, safe to show.
    """

    message: int
    part: str
    line: int
    text: str


@dataclass(frozen=True)
class Found:
    """A fact that is one piece of text: a version, a commit, a link."""

    value: str
    evidence: Evidence


def evidence_of(message: Message, part: Part, line: Line) -> Evidence:
    return Evidence(message.number, part.name, line.number, line.text)


def lines_of(messages: list[Message]) -> Iterator[tuple[Line, Evidence]]:
    """Each line of each part, in order."""
    for message in messages:
        for part in message.parts:
            for line in part.lines:
                yield line, evidence_of(message, part, line)
