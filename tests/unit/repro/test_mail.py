"""Files that are mails are read, others are refused with a word on what they are."""

import io
import os
import sys
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.repro import mime, text
from ubtest.repro.continuation import LONGEST
from ubtest.repro.encoding import LARGEST
from ubtest.repro.mail import messages_of, read
from ubtest.repro.message import Kind, Message
from ubtest.repro.understanding import understand

HEADER = b"From: A B <a@example.org>\nSubject: s\n"


def texts(message: Message) -> list[str]:
    return [line.text for part in message.parts for line in part.lines]


def one(data: bytes) -> Message:
    (message,) = messages_of(data, "mail")
    return message


def tar_of(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("mail.mbox")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (bytes(100_000), "NUL"),
        (b"text\n" + bytes(100_000), "binary"),
        (tar_of(HEADER), "tar archive"),
        (b"\x1f\x8b\x08" + bytes(9) + b"x", "gzip"),
        (b"PK\x03\x04 and more", "zip"),
        (b"\x7fELF and more", "program"),
        (os.urandom(4096).replace(b"\n", b""), "binary"),
    ],
)
def test_what_is_no_mail_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(CaseError, match=says) as refusal:
        messages_of(data, "mail.mbox")
    assert refusal.value.next_step


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot read"):
        read(tmp_path / "none.eml")
    with pytest.raises(CaseError, match="not a file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")  # opening it would wait forever
    with pytest.raises(CaseError, match="not a file"):
        read(tmp_path / "pipe")


def test_a_huge_file_is_refused_before_it_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.eml"
    with path.open("wb") as file:
        file.write(HEADER)
        file.truncate(100 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(CaseError, match="too large"):
            read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * LARGEST


def nested(depth: int) -> bytes:
    return HEADER + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth)
    )


def forwarded(depth: int) -> bytes:
    return HEADER + b"Content-Type: message/rfc822\n\n" * depth + b"\nx\n"


def hidden(depth: int) -> bytes:
    """Nesting that the count of plain headers does not see."""
    return HEADER + b"".join(
        b"Content-Type\t: (c)multipart/mixed; boundary*0=b%d\n\n--b%d\n" % (n, n)
        for n in range(depth)
    )


@pytest.mark.parametrize("make", [nested, forwarded, hidden])
def test_deep_nesting_is_refused(make: Callable[[int], bytes]) -> None:
    for depth in (101, 5000):
        with pytest.raises(CaseError, match="parts"):
            messages_of(make(depth), "mail")
    assert messages_of(make(5), "mail")


def calls(data: bytes) -> int:
    """How many calls of Python it takes to read and understand this much input."""
    count = 0

    def seen(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(seen)
    try:
        understand(messages_of(data, "mail"))
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "line",
    [
        b"=> usb start\nx\n",
        b"> > > quoted and wrapped at a column that mailers like to wrap at, so\nsee\n",
        b"qemu-system-aarch64 -M virt \\\n",
        b"$ qemu-system-aarch64 -device x\n-device y\n",
        b"Expected it should work. It fails.\n",
        b"-- \nx\n",
        b"diff --git a/x b/x\n+y\n",
        b"-----Original Message-----\nFrom: x\n",
        b"\n=> setenv x '" + b"y" * 60 + b"\n",
        b"On Monday\n",
    ],
)
def test_work_grows_with_the_size_and_not_with_its_square(line: bytes) -> None:
    small, large = (calls(HEADER + b"\n" + line * count) for count in (400, 1600))
    assert large < 5 * small


QUOTED = HEADER + b"Content-Transfer-Encoding: quoted-printable\n"


@pytest.mark.parametrize(
    "data",
    [
        b"x\n" * 1001,
        HEADER + b"\n" * 1501,
        QUOTED + b"\n" + b"x=0A" * 1001,
        QUOTED + b"Content-Type: text/html\n\n" + b"x<br>" * 1001,
        HEADER + b"Content-Type: multipart/mixed; boundary=b\n"
        + (b"\n--b\nContent-Transfer-Encoding: quoted-printable\n\n" + b"x=0A" * 300) * 4,
        (b"From a Mon\n" + HEADER + b"\nx" + b"\ny" * 300 + b"\n\n") * 4,
    ],
    ids=["text", "mail", "encoded", "html", "parts", "mbox"],
)  # fmt: skip
def test_too_many_lines_are_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LINES", 1000)
    monkeypatch.setattr(mime, "_MOST_RAW_LINES", 1500)
    with pytest.raises(CaseError, match=r"more than 1.00 lines"):
        messages_of(data, "mail")


def test_a_command_that_never_ends_is_cut() -> None:
    transcripts = understand(messages_of(b"=> echo \\\n" + b"x \\\n" * 5000, "mail")).transcripts
    assert len(transcripts[0].exchanges[0].command) < 2 * LONGEST


def test_an_archive_is_refused() -> None:
    with pytest.raises(CaseError, match="501 mails"):
        messages_of((b"From a Mon\n" + HEADER + b"\n\n") * 501, "mail")


@pytest.mark.parametrize(
    ("header", "body", "shown"),
    [
        (b"text/plain; charset=iso-8859-15", b"5 \xa4", "5 €"),
        (b"text/plain; charset=iso-2022-jp", b"\x1b$B;3ED\x1b(B", "山田"),
        (b"text/plain; charset=utf-8", "ü".encode(), "ü"),
        (b"text/plain; charset=us-ascii", "ü".encode(), "ü"),
        (b"text/plain; charset=x-none", "ü".encode(), "ü"),
        (b"text/plain; charset=idna", b"\xfc", "ü"),
        (b"text/plain; charset=hex", b"4141", "4141"),
        (b"text/plain; charset=punycode", b"ab-", "ab-"),
        (b"text/html", b"<pre>a  b   c</pre>", "a  b   c"),
        (b"text/html", b"<p>a &lt;b&gt;&nbsp;c</p>", "a <b> c"),
        (b"garbage; ;;=", b"x", "x"),
    ],
)
def test_encodings(header: bytes, body: bytes, shown: str) -> None:
    assert texts(one(HEADER + b"Content-Type: " + header + b"\n\n" + body))[0] == shown


def test_an_unknown_charset_is_noted() -> None:
    message = one(HEADER + b"Content-Type: text/plain; charset=x-none\n\nx")
    assert message.notes == ("the body: charset 'x-none' is unknown",)


def test_of_alternatives_the_plain_one_is_read_unless_it_is_a_stub() -> None:
    def mail(plain: bytes) -> bytes:
        return (
            HEADER + b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n" + plain
            + b"\n--b\nContent-Type: text/html\n\n<p>in HTML\n--b--\n"
        )  # fmt: skip

    assert texts(one(mail(b"plainly said, and at length"))) == ["plainly said, and at length"]
    assert texts(one(mail(b"(HTML)")))[0] == "in HTML"


def test_a_forwarded_mail_is_a_part_of_its_own() -> None:
    message = one(
        HEADER + b"Content-Type: message/rfc822\n\nSubject: inner\nFrom: b\n\n=> version\n"
    )
    (part,) = message.parts
    assert part.name == "forwarded: inner"
    assert part.lines[0].text == "=> version"


def test_plain_text_is_one_message_without_a_header() -> None:
    message = one(b"Note: this is no mail.\nSo: no header.\n")
    assert (message.subject, message.sender) == ("", "")
    assert texts(message)[0] == "Note: this is no mail."


def test_a_page_saved_as_text() -> None:
    bars = b"     * Previous message: x\n     * Messages sorted by: [ date ]\n"
    page = b"the subject\n\n   A B a at example.org\n   Mon Jan 20 08:30:00 CET 2025\n" + bars
    message = one(page + b"\nHello\n=> version\n\n" + bars)
    assert (message.subject, message.sender) == ("the subject", "A B <a@example.org>")
    assert message.date == "2025-01-20T08:30:00"
    line = next(each for each in message.parts[0].lines if each.text == "=> version")
    assert line.number == 9


def test_from_in_the_text_starts_no_mail() -> None:
    data = b"From a Mon\n" + HEADER + b"\nhello\n\nFrom here on it fails.\n>From there, too.\n"
    assert texts(one(data)) == ["hello", "", "From here on it fails.", "From there, too."]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07x", "x"),
        (b"^[[1mbold^[[0m", "bold"),
        (b"usb sta\b\b\b\bstart", "usbstart"),
        (b"a\tb", "a       b"),
        (b"bell\x07 and nul\x00", "bell\\x07 and nul\\x00"),
        ("\u202egnp.exe".encode(), "\\u202egnp.exe"),
        ("a\u200bb\u00a0c".encode(), "ab c"),
        (b"[12:34:56] x", "x"),
        (b"[2023-02-07 12:34:56.789] x", "x"),
        (b"12:34:56.789 x", "x"),
        (b"[    1.234567] x", "[    1.234567] x"),
        (b"12:34:56 is when", "12:34:56 is when"),
    ],
)
def test_text_is_safe_to_show(raw: bytes, shown: str) -> None:
    assert texts(one(b"start\n" + raw + b"\n"))[1] == shown


def test_headers_are_safe_to_show() -> None:
    message = one(b"From: =?utf-8?q?=1b[31mA?= <a@example.org>\nSubject: \x1b]0;x\x07y\x00\n\nx\n")
    assert message.subject == "y\\x00"
    assert "\x1b" not in message.sender


def test_quotes_signatures_and_patches_are_told_apart() -> None:
    message = one(
        b"hello\n> quoted\n>> twice\n> > twice as well\n-- \nsender\n"
        b"> diff --git a/x b/x\n> +new\n> \n> prose again\n"
    )
    lines = [(line.depth, line.kind, line.text) for line in message.parts[0].lines][:10]
    assert lines == [
        (0, Kind.TEXT, "hello"),
        (1, Kind.TEXT, "quoted"),
        (2, Kind.TEXT, "twice"),
        (2, Kind.TEXT, "twice as well"),
        (0, Kind.SIGNATURE, "--"),
        (0, Kind.SIGNATURE, "sender"),
        (1, Kind.PATCH, "diff --git a/x b/x"),
        (1, Kind.PATCH, "+new"),
        (1, Kind.PATCH, ""),
        (1, Kind.TEXT, "prose again"),
    ]


LONG = "a line of a transcript that is as long as mailers let it become, so here"


@pytest.mark.parametrize(
    ("said", "joined"),
    [
        (f"> {LONG}\nwrapped\n> next", True),  # the mark of quoting is lost
        (f"> {LONG}\n\nanswer\n> next", False),
        (f"> {LONG}\n>> earlier\n> next", False),
        ("> short\nanswer\n> next", False),
        (f"[12:00:00] {LONG}\nwrapped\n[12:00:01] next", True),
        (f"[12:00:00] {LONG}\n[12:00:00] wrapped\n[12:00:01] next", False),
        (f"[    1.000000] {LONG}\nwrapped\n[    1.000001] next", True),
        (f"=> setenv x '{LONG}\nwrapped'\nnext", True),  # an open quote
        (f"=> setenv x '{LONG}'\nnot\nnext", False),
        (f"=> echo {LONG}\noutput\nnext", False),
        ("$ qemu-system-arm -M virt\n  -device x\nnext", True),
        ("$ qemu-system-arm -M virt\nU-Boot 2023.01\nnext", False),
    ],
)
def test_lines_are_joined_where_something_proves_it(said: str, joined: bool) -> None:
    lines = texts(one(f"start\n{said}\n".encode()))
    assert len(lines) == (4 if joined else 5) + said.count("\n\n")


def test_flowed_text_is_joined() -> None:
    mail = HEADER + b"Content-Type: text/plain; format=flowed\n\n"
    assert len(texts(one(mail + f"{LONG} \nwrapped\n".encode()))) == 1
    assert len(texts(one(mail + b"=> \nwrapped\n"))) == 2
