"""Whatever the bytes: mails or a CaseError, and nothing in them that moves a terminal's cursor."""

import contextlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.errors import CaseError
from ubtest.repro.mail import messages_of
from ubtest.repro.understanding import understand

CORPUS = [path.read_bytes() for path in sorted((Path(__file__).parent / "mails").iterdir())]
WORDS = (
    b"From: ", b"From a Mon\n", b"Subject: ", b"Date: Mon, 99 Foo 20000 99:99:99 +9999\n",
    b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html", b"message/rfc822\n\n",
    b"text/plain; charset=", b"idna", b"utf-7", b"utf-16", b"iso-2022-jp", b"\xff\xfe",
    b"\x1b$B", b"Content-Transfer-Encoding: ", b"base64\n\n", b"quoted-printable\n\n",
    b"x-uuencode\n\n", b"begin 644 x\n", b"\n--b\n", b"\n--b--\n", b"=?utf-8?b?", b"?=",
    b"=?x?q?=1b?=", b"=1B[2J", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\x1b[2J",
    b"\x9b2J", b"\xc2\x9b2J", b"\x07", b"\b", b"<pre>", b"<!--", b"&#27;[2J", b"&#x9b;",
    b"</", b"<html>", b"&#99999999999;", b"<script>", b"=> ", b"Marvell>> ",
    b"root@host:~# ", b"$ ", b"# ", b"> ", b">> ", b"-- \n", b"\\\n", b"'",
    b"qemu-system-aarch64 -M virt ", b"-device x ", b"usb start", b"make x_defconfig",
    b"(", b"@", b"diff --git a/x b/x\n", b"Fixes: 0123456789 (", b"CONFIG_X=y", b"2023.01",
    b"Expected: ", "はずです。".encode(), "\u202e".encode(), "\u2028".encode(),
    b"<!--beginarticle-->", b"Previous message",
)  # fmt: skip
PIECES = st.one_of(st.sampled_from(WORDS), st.binary(max_size=12))
MADE = st.lists(PIECES, max_size=40).map(b"".join)
quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


def texts(value: object) -> Iterator[str]:
    """Every piece of text in there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts(each)
    elif is_dataclass(value) and not isinstance(value, type | Enum):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def check(data: bytes) -> None:
    with contextlib.suppress(CaseError):
        messages = messages_of(data, "mail")
        assert messages
        for text in texts([messages, understand(messages)]):
            assert text.isprintable(), text


@given(st.binary(max_size=300))
@quick
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(MADE)
@settings(quick, max_examples=300)
def test_pieces_of_mails_in_any_order(data: bytes) -> None:
    check(data)


@given(MADE)
@quick
def test_pieces_behind_a_header(data: bytes) -> None:
    check(b"From: a\nSubject: s\n" + data)


@given(st.sampled_from(CORPUS), st.data())
@quick
def test_the_corpus_with_changes(mail: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(mail)))
        end = data.draw(st.integers(start, min(len(mail), start + 30)))
        mail = mail[:start] + data.draw(PIECES) + mail[end:]
    check(mail)


@given(st.sampled_from(CORPUS), st.integers(0, 3000))
@quick
def test_the_corpus_cut_short(mail: bytes, end: int) -> None:
    check(mail[:end])
