"""The ESRT as U-Boot prints it."""

import pytest

from ubtest.formats.esrt import Resource, parse_esrt
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

KIND = Guid.of("058b7d83-50d5-4c47-a195-60d86ad341c4")
ENTRY = """\
[entry {number}]==============================
ESRT: fw_class=058B7D83-50D5-4C47-A195-60D86AD341C4
ESRT: fw_type=unknown
ESRT: fw_version={version}
ESRT: lowest_supported_fw_version={lowest}
ESRT: capsule_flags=0
ESRT: last_attempt_version=0
ESRT: last_attempt_status=success
"""


def printed(count: int, *entries: tuple[int, int]) -> str:
    """A table with this count and these (version, lowest)."""
    line = "=" * 40 + "\n"
    head = f"ESRT: fw_resource_count={count}\nESRT: fw_resource_count_max={count}\n"
    body = "".join(
        ENTRY.format(number=number, version=version, lowest=lowest)
        for number, (version, lowest) in enumerate(entries)
    )
    return f"{line}{head}ESRT: fw_resource_version=1\n{body}{line}"


def test_every_entry_is_read() -> None:
    assert parse_esrt(printed(2, (5, 3), (0, 0))) == (Resource(KIND, 5, 3), Resource(KIND, 0, 0))
    assert parse_esrt(printed(0)) == ()


def test_large_versions_are_printed_as_negative_ones() -> None:
    assert parse_esrt(printed(1, (-1, -(1 << 31)))) == (Resource(KIND, 0xFFFFFFFF, 0x80000000),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ESRT: table not present\n",
        printed(2, (5, 3)),
        printed(1, (5, 3)).replace("fw_type", ""),
    ],
)
def test_what_is_no_whole_table_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="ESRT"):
        parse_esrt(text)
