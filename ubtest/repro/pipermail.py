"""A page of a mailing list's archive (pipermail), saved as HTML or as text from a browser."""

import contextlib
import re
from datetime import datetime
from html import unescape

from ubtest.repro.html_text import text_of_html
from ubtest.repro.layout import lines_of_text
from ubtest.repro.message import Message, Part
from ubtest.repro.text import shown

_HTML = re.compile(r"\s*<(?:!doctype html|html|head|\?xml)", re.IGNORECASE)
_NAVIGATION = re.compile(r"\s*(?:[*+-] )?(?:Previous message|Next message|Messages sorted by)\b")
_ADDRESS = re.compile(r"([\w.+-]+) at ([\w.-]+\.\w+)")
_HEAD_LINES = 40
_BEGIN, _END = "<!--beginarticle-->", "<!--endarticle-->"


def is_page(text: str) -> bool:
    """Whether this text is a page, and not what somebody typed."""
    if _HTML.match(text):
        return True
    head = text[:8192].splitlines()[:_HEAD_LINES]
    return sum(bool(_NAVIGATION.match(line)) for line in head) >= 2


def message_of_page(text: str) -> Message:
    """The mail of one page; any other HTML is a message without a header."""
    if not _HTML.match(text):
        return _text_page(text)
    begin, end = text.find(_BEGIN), text.rfind(_END)
    if not 0 <= begin < end:
        return Message(1, parts=(Part("", lines_of_text(text_of_html(text))),))
    head = text[:begin]
    article = text_of_html(text[begin + len(_BEGIN) : end])
    return Message(
        1,
        subject=_between(head, "<h1>", "</h1>"),
        sender=_sender(_between(head, "<b>", "</b>"), _between(head, "<a ", "</a>")),
        date=_date(_between(head, "<i>", "</i>")),
        parts=(Part("", lines_of_text(article)),),
    )


def _text_page(text: str) -> Message:
    """Subject, "Name address at host", date, navigation, the mail, navigation."""
    lines = text.split("\n")
    bars = [n for n, line in enumerate(lines) if _NAVIGATION.match(line)]
    first = next(n for n, line in enumerate(lines) if n in set(bars[:6]))
    last = first
    for number in bars:
        if number - last <= 2:
            last = number
    later = [n for n in bars if n > last]
    body = lines[last + 1 : later[0] if later else None]
    head = [line.strip() for line in lines[:first] if line.strip()]
    subject, sender, date = (*head, "", "", "")[:3]
    return Message(
        1,
        subject=shown(subject),
        sender=_sender(*_name_and_address(sender)),
        date=_date(date),
        parts=(Part("", lines_of_text("\n".join(body), first=last + 2)),),
    )


def _date(text: str) -> str:
    """ISO 8601 of "Mon Jan 20 08:30:00 CET 2025"; a zone's name gives no offset: left out."""
    words = text.split() or [""]
    with contextlib.suppress(ValueError):
        return datetime.strptime(
            " ".join([*words[1:4], words[-1]]), "%b %d %H:%M:%S %Y"
        ).isoformat()
    return ""


def _name_and_address(text: str) -> tuple[str, str]:
    found = _ADDRESS.search(text[:500])
    return (text[: found.start()].strip(), found[0]) if found else (text, "")


def _sender(name: str, address: str) -> str:
    found = _ADDRESS.search(address)
    name = shown(name)
    return f"{name} <{found[1]}@{found[2]}>" if found else name


def _between(html: str, start: str, end: str) -> str:
    """The text of the first such element, on one line."""
    found = re.search(f"{start}([^\0]{{0,2000}}?){end}", html, re.IGNORECASE)
    inner = found[1].rpartition(">")[2] if found else ""
    return shown(" ".join(unescape(inner).split()))
