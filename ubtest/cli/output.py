"""What commands print: lines that any terminal takes, and JSON."""

import dataclasses
import enum
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from ubtest.formats.explanation import printable


def as_json(value: Any) -> str:
    """A dataclass as JSON."""
    return json_text(dataclasses.asdict(value))


def json_text(plain: Any) -> str:
    """Plain values as JSON; an enumeration is its value."""
    return json.dumps(plain, indent=2, default=_plain)


def _plain(value: Any) -> str:
    return str(value.value if isinstance(value, enum.Enum) else value)


def say(lines: Iterable[str]) -> None:
    """Print lines on any terminal, and into a pipe whose reader has gone."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        for line in lines:
            print(printable(line).encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
