"""What `printenv -e` prints, read back."""

import re

import pytest

from ubtest.errors import FirmwareError
from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE
from ubtest.uefi.variables import PERSISTENT, READ_ONLY, parse, write

PRINTED = """\
OsIndications:
    8be4df61-93ca-11d2-aa0d-00e098032b8c (EFI_GLOBAL_VARIABLE_GUID)
    NV|BS|RT, DataSize = 0x8
    00000000: 04 00 00 00 00 00 00 00                          ........
CapsuleLast:
    39b68c46-f7fb-441b-b6ec-16b0f69821f3 (39b68c46-f7fb-441b-b6ec-16b0f69821f3)
    NV|BS|RT|RO, DataSize = 0x16
    00000000: 43 00 61 00 70 00 73 00 75 00 6c 00 65 00 30 00  C.a.p.s.u.l.e.0.
    00000010: 30 00 30 00 30 00                                0.0.0.
Empty:
    8be4df61-93ca-11d2-aa0d-00e098032b8c (EFI_GLOBAL_VARIABLE_GUID)
    BS, DataSize = 0x0
PK:
    8be4df61-93ca-11d2-aa0d-00e098032b8c (EFI_GLOBAL_VARIABLE_GUID)
    2026-11-24 06:20:13
    NV|BS|RT|AT, DataSize = 0x1
    00000000: 5a                                               Z
"""


def test_names_guids_attributes_and_data():
    indications, last, empty, key = parse(PRINTED)
    assert (indications.name, indications.guid) == ("OsIndications", GLOBAL_VARIABLE)
    assert indications.attributes == PERSISTENT
    assert indications.data == b"\x04" + bytes(7)
    assert (last.guid, last.attributes) == (CAPSULE_REPORT, PERSISTENT | READ_ONLY)
    assert last.data.decode("utf-16-le") == "Capsule0000"
    assert empty.data == b""
    assert (key.name, key.data) == ("PK", b"Z")


def test_nothing_printed_is_no_variable():
    assert parse('Error: "CapsuleLast" not defined\n') == ()


def test_a_short_value_is_not_believed():
    with pytest.raises(FirmwareError, match="OsIndications"):
        parse(PRINTED.replace("04 00 00 00 00 00 00 00 ", "04 00 "))


class Shell:
    """U-Boot's environment, and its limit for a line (CONFIG_SYS_CBSIZE of most boards)."""

    LIMIT = 256 - len("; echo EN''D1000=$?")

    def __init__(self):
        self.environment = {}
        self.written = {}

    def check(self, line):
        assert len(line) < self.LIMIT
        *words, last = re.sub(r"\$\{(\w+)\}", lambda m: self.environment[m[1]], line).split()
        if words[:2] == ["setenv", "-e"]:
            self.written[words[-1]] = bytes.fromhex(last.removeprefix("=H"))
        elif len(words) == 2:
            self.environment[words[1]] = last
        else:
            del self.environment[last]


@pytest.mark.parametrize("size", [0, 1, 80, 81, 160, 161, 1000])
def test_a_value_of_any_size_is_written_by_short_lines(size):
    shell = Shell()
    data = bytes(number & 0xFF for number in range(size))
    write(shell, "Boot0001", data)
    assert shell.written == {"Boot0001": data}
    assert shell.environment == {}
