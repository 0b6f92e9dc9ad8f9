"""One raw mail to a `Message`, by Python's email package, within bounds that it has not itself.

The package lets out errors of many kinds for broken headers, and its time grows with the square of
a header's length and of the nesting: so sizes are looked at first, and each header is read alone.
"""

import re
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from typing import cast

from ubtest.errors import CaseError
from ubtest.repro.encoding import decoded, is_binary
from ubtest.repro.html_text import text_of_html
from ubtest.repro.layout import lines_of_text
from ubtest.repro.message import Message, Part
from ubtest.repro.text import check_lines, shown

_LONGEST_HEADER = 2048
_MOST_PARTS = 100
_MOST_RAW_LINES = 150_000  # encoded attachments are in it
_BOUNDARY = re.compile(rb"boundary[\s*0-9]{0,8}=", re.IGNORECASE)
_TYPE = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_BROKEN = (MessageError, LookupError, ValueError, TypeError, AttributeError, AssertionError)
_TEXT_FILE = re.compile(
    r".*\.(?:log|txt|text|cfg|config|conf|patch|diff|dts|dtsi|sh|yaml|md|out)|.*defconfig",
    re.IGNORECASE,
)


class _Policy(EmailPolicy):
    """`email.policy.default`, which reads no more of a header than its first 2 KiB."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name[:_LONGEST_HEADER], value[:_LONGEST_HEADER]


def message_of(data: bytes, number: int) -> Message:
    """Read one mail.

    :param number: its place in the file.
    :raises CaseError: it nests too deep, has too many parts or lines.
    """
    _check_bounds(data)
    try:
        mail = BytesParser(policy=_Policy()).parsebytes(data)
        return _message(cast(EmailMessage, mail), number)
    except RecursionError as error:
        raise _too_deep() from error


def _check_bounds(data: bytes) -> None:
    if len(_BOUNDARY.findall(data)) > _MOST_PARTS or len(_TYPE.findall(data)) > _MOST_PARTS:
        raise _too_deep()
    if data.count(b"\n") + data.count(b"\r") > _MOST_RAW_LINES:
        raise CaseError(
            f"a mail of more than {_MOST_RAW_LINES} lines is no report",
            next_step="save its text without the attachments, and give that file",
        )


def _too_deep() -> CaseError:
    return CaseError(
        f"a mail of more than {_MOST_PARTS} parts, or parts in parts too deep, is no report",
        next_step="save the text of the report from your mail program, and give that file",
    )


def _message(mail: EmailMessage, number: int) -> Message:
    notes: list[str] = []
    parts = tuple(_parts(mail, notes))
    return Message(
        number,
        subject=_header(mail, "Subject"),
        sender=_header(mail, "From"),
        date=_date(_header(mail, "Date")),
        message_id=_header(mail, "Message-ID"),
        in_reply_to=_header(mail, "In-Reply-To"),
        parts=parts,
        notes=tuple(notes),
    )


def _header(mail: EmailMessage, name: str) -> str:
    """A header's text, safe to show; as it stands where it cannot be decoded."""
    try:
        value = str(mail.get(name, ""))
    except (*_BROKEN, RecursionError):
        value = next((str(v) for k, v in mail.raw_items() if k.lower() == name.lower()), "")
    return shown(" ".join(value.split()))


def _date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).isoformat()
    except (*_BROKEN, OverflowError):
        return ""


def _parts(mail: EmailMessage, notes: list[str]) -> Iterator[Part]:
    """The body first, then each attachment that is text."""
    body: list[str] = []
    flowed = False
    attached: list[Part] = []
    lines = 0
    for leaf, below in _leaves(mail, ""):
        name = _name(leaf) or below
        text = _text(leaf, name, notes)
        if text is None:
            continue
        lines += text.count("\n") + text.count("\r")
        check_lines(lines)
        if name:
            attached.append(Part(name, lines_of_text(text)))
        else:
            flowed = flowed or (not body and _parameter(leaf, "format") == "flowed")
            body.append(text.rstrip("\r\n"))
    if body:
        yield Part("", lines_of_text("\n".join(body), flowed=flowed))
    yield from attached


def _leaves(mail: EmailMessage, below: str) -> Iterator[tuple[EmailMessage, str]]:
    """The parts that are no containers; of alternatives the one that is best to read.

    The second value names the forwarded mail that a part belongs to.
    """
    children = [each for each in _children(mail) if isinstance(each, EmailMessage)]
    kind = _type(mail)
    if kind == "message/rfc822":
        for child in children:
            yield from _leaves(child, f"forwarded: {_header(child, 'Subject')}")
    elif children and kind == "multipart/alternative":
        plain = [each for each in children if _type(each) == "text/plain" and _says_something(each)]
        yield from _leaves((plain or children[-1:])[0], below)
    elif children:
        for child in children:
            yield from _leaves(child, below)
    else:
        yield mail, below


def _children(mail: EmailMessage) -> list[object]:
    payload: object = mail.get_payload() if mail.is_multipart() else None
    return payload if isinstance(payload, list) else []


def _says_something(leaf: EmailMessage) -> bool:
    return len(_bytes(leaf).strip()) > len("(HTML mail)")


def _type(leaf: EmailMessage) -> str:
    try:
        return leaf.get_content_type()
    except (*_BROKEN, RecursionError):
        return "text/plain"


def _parameter(leaf: EmailMessage, name: str) -> str:
    try:
        return str(leaf.get_param(name, "")).lower()
    except (*_BROKEN, RecursionError):
        return ""


def _name(leaf: EmailMessage) -> str:
    """The file name of an attachment; empty: part of the body."""
    try:
        name, attachment = leaf.get_filename() or "", leaf.is_attachment()
    except (*_BROKEN, RecursionError):
        return ""
    return shown(str(name))[:200] or ("attachment" if attachment else "")


def _bytes(leaf: EmailMessage) -> bytes:
    try:
        payload: object = leaf.get_payload(decode=True)
    except (*_BROKEN, RecursionError):
        return b""
    return payload if isinstance(payload, bytes) else b""


def _text(leaf: EmailMessage, name: str, notes: list[str]) -> str | None:
    """What a leaf says; None for what is no text, with a note."""
    kind = _type(leaf)
    data = _bytes(leaf)
    if not (kind.startswith("text/") or _TEXT_FILE.fullmatch(name)) or is_binary(data):
        what = f"{name or 'a part'} ({shown(kind)}, {len(data)} bytes)"
        notes.append(f"{what} is not text and was not read")
        return None
    text, wrong = decoded(data, _charset(leaf))
    if wrong:
        notes.append(shown(f"{name or 'the body'}: {wrong}"))
    return text_of_html(text) if kind == "text/html" else text


def _charset(leaf: EmailMessage) -> str:
    try:
        return leaf.get_content_charset() or ""
    except (*_BROKEN, RecursionError):
        return ""
