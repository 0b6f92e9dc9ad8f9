"""EFI_RT_PROPERTIES_TABLE."""

from dataclasses import replace

import pytest

from ubtest.formats.record import FormatError
from ubtest.formats.runtime_services import RuntimeProperties

TABLE = RuntimeProperties(1, 8, 0x05B0)  # of U-Boot 2023.01


def test_services():
    table = RuntimeProperties.parse(TABLE.pack())
    table.check()
    assert table.services == {
        "GetVariable",
        "GetNextVariableName",
        "SetVirtualAddressMap",
        "ConvertPointer",
        "ResetSystem",
    }


@pytest.mark.parametrize("wrong", [{"version": 2}, {"length": 12}, {"supported": 0x4000}])
def test_another_table_is_an_error(wrong):
    with pytest.raises(FormatError):
        replace(TABLE, **wrong).check()
