"""The file that a user gives: a mail, a thread, a page of a list's archive or plain text.

Mails are untrusted. What a file is, is told from its bytes and not from its name; reading takes
time and memory in proportion to its size, and no more than :data:`encoding.LARGEST` bytes are read.
"""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.repro.encoding import LARGEST, decoded, is_binary
from ubtest.repro.layout import lines_of_text
from ubtest.repro.message import Message, Part
from ubtest.repro.mime import message_of
from ubtest.repro.pipermail import is_page, message_of_page
from ubtest.repro.text import check_lines

_MOST_MAILS = 500
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}[ \t]*:")
_MAIL_HEADER = re.compile(
    rb"^(?:From|Subject|Date|Message-Id|MIME-Version|Received|Return-Path|Content-Type)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_SEPARATOR = re.compile(rb"^From [^\r\n]{1,200}\r?\n(?=[A-Za-z][A-Za-z0-9-]{0,60}:)", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_KINDS = (  # offset, magic, what it is
    (257, b"ustar", "a tar archive"),
    (0, b"\x1f\x8b", "compressed by gzip"),
    (0, b"BZh", "compressed by bzip2"),
    (0, b"\xfd7zXZ", "compressed by xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"%PDF", "a PDF"),
    (0, b"\x7fELF", "a program"),
    (0, b"\xd0\xcf\x11\xe0", "a mail of Outlook (.msg)"),
)


def read(path: Path) -> list[Message]:
    """The mails of a file, in its order; at least one.

    :raises CaseError: no such file, not text, too large, nothing in it.
    """
    data = _content(path)
    return messages_of(data, path.name)


def messages_of(data: bytes, name: str) -> list[Message]:
    """The mails in these bytes.

    :param name: for messages.
    :raises CaseError: as :func:`read`.
    """
    _check_text(data, name)
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if data.startswith(b"From ") and _SEPARATOR.match(data):
        mails = list(_split(data, name))
    elif _has_header(data):
        mails = [data]
    else:
        text, _ = decoded(data)
        if is_page(text):
            return [message_of_page(text)]
        return [Message(1, parts=(Part("", lines_of_text(text)),))]
    messages = []
    lines = 0
    for number, mail in enumerate(mails, 1):
        messages.append(message_of(mail, number))
        lines += sum(len(part.lines) for part in messages[-1].parts)
        check_lines(lines)
    return messages


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CaseError(f"{path} is not a file", next_step="give a mail saved as one file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CaseError(
            f"cannot read {path}: {error.strerror}", next_step="look at the path"
        ) from error
    if len(data) > LARGEST:
        raise CaseError(
            f"{path} has more than {LARGEST >> 20} MiB: too large for a report",
            next_step="save its text without the attachments, and give that file",
        )
    return data


def _check_text(data: bytes, name: str) -> None:
    """:raises CaseError: empty, or of a kind that is no text."""
    if not data.strip(b"\0 \t\r\n"):
        what = "filled with NUL bytes" if data.strip() else "empty"
        raise CaseError(f"{name} is {what}", next_step="save the mail again, and give that file")
    for offset, magic, what in _KINDS:
        if data.startswith(magic, offset):
            raise CaseError(
                f"{name} is {what}, and not a mail",
                next_step="unpack or export it, and give the mail that is in it",
            )
    if is_binary(data):
        raise CaseError(
            f"{name} is binary, and not a mail",
            next_step="save the mail as text, .eml or mbox, and give that file",
        )


def _has_header(data: bytes) -> bool:
    """Whether these bytes start with the header of a mail, and not with prose that has a colon."""
    if not _HEADER.match(data):
        return False
    head = re.split(rb"\r?\n\r?\n", data[: 64 << 10], maxsplit=1)[0]
    return len({found.lower() for found in _MAIL_HEADER.findall(head)}) >= 2


def _split(data: bytes, name: str) -> Iterator[bytes]:
    """The mails of an mbox. A line `From ` starts one where a header follows it."""
    starts = [found.span() for found in _SEPARATOR.finditer(data)]
    if len(starts) > _MOST_MAILS:
        raise CaseError(
            f"{name} holds {len(starts)} mails: an archive, and not a report or its thread",
            next_step="save the thread alone, and give that file",
        )
    ends = [start for start, _ in starts[1:]] + [len(data)]
    for (_, start), end in zip(starts, ends, strict=True):
        yield _QUOTED_FROM.sub(rb"\1", data[start:end])
