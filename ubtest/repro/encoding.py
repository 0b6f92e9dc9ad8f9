"""Bytes of a mail to text, whatever its encoding says."""

import re

LARGEST = 8 << 20  # bytes of a file; mailing lists take much less

_NAMES = re.compile(  # not those of Python that are no encodings of text, or take long
    r"(?:us-?)?ascii|utf[-_]?(?:7|8|8-sig|16|16le|16be|32)(?:-?[lb]e)?|iso[-_]?8859[-_]\d{1,2}"
    r"|iso-2022-\w{2}(?:-\w{1,4})?|windows-\d{3,4}|cp-?\d{3,4}|koi8-\w|gb\w{2,6}|big5\w{0,6}"
    r"|euc[-_]\w{2}|shift[-_]?jis|sjis|latin[-_]?\d{1,2}|macintosh|ks_c_5601.{0,5}",
    re.IGNORECASE,
)
_BINARY_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_JAPANESE = re.compile(rb"\x1b\$[@B]")
_LOOKED_AT = 64 << 10  # bytes that tell what a file is
_MOST_CONTROLS = 0.05  # of the bytes; a serial line's noise is less


def is_binary(data: bytes) -> bool:
    """Whether these bytes are no text of any encoding that we read."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16's mark
        return False
    head = data[:_LOOKED_AT]
    tail = data[-_LOOKED_AT:]
    return any(len(_BINARY_CONTROLS.findall(p)) > _MOST_CONTROLS * len(p) for p in (head, tail))


def decoded(data: bytes, charset: str = "") -> tuple[str, str]:
    """The text, and what was wrong with its encoding; empty: nothing.

    :param charset: what the mail says; empty where it says nothing.
    """
    if not charset:
        return _guessed(data), ""
    if not _NAMES.fullmatch(charset):
        return _guessed(data), f"charset {charset[:40]!r} is unknown"
    try:
        text = data.decode(charset, errors="replace")
    except (LookupError, ValueError):
        return _guessed(data), f"charset {charset[:40]!r} is unknown"
    if charset.lower() in ("us-ascii", "ascii") and "\ufffd" in text:
        return _guessed(data), ""
    broken = text.count("\ufffd")
    return text, f"{broken} characters are not {charset}" if broken else ""


def _guessed(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if _JAPANESE.search(data):
        return data.decode("iso-2022-jp", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except ValueError:
        return data.decode("cp1252", errors="replace")
