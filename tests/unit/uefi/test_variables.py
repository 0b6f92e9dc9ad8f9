"""What `printenv -e` prints, read back."""

import pytest

from ubtest.errors import FirmwareError
from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE
from ubtest.uefi.variables import PERSISTENT, READ_ONLY, parse

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
