"""ubootefi.var."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import (
    BOOTSERVICE_ACCESS,
    NON_VOLATILE,
    RUNTIME_ACCESS,
    Variable,
    pack_variables,
    parse_variables,
)

BOOT_ORDER = Variable(
    "BootOrder",
    GLOBAL_VARIABLE,
    NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS,
    0,
    b"\x01\0",
)
ENTRY = bytes.fromhex(
    # 2 bytes of data, attributes, time, EFI_GLOBAL_VARIABLE
    "02000000 07000000 0000000000000000 61dfe48b ca93 d211 aa0d 00e098032b8c"
    # "BootOrder" and its final zero, data, padding to 8
    "42006f006f0074004f0072006400650072000000 0100 0000"
)


def file_of(entries: bytes) -> bytes:
    head = bytes(8) + b"UbEfiVa\x01" + (24 + len(entries)).to_bytes(4, "little")
    return head + crc32(entries).to_bytes(4, "little") + entries


def test_a_file_is_what_u_boot_writes() -> None:
    assert pack_variables([BOOT_ORDER]) == file_of(ENTRY)
    assert parse_variables(file_of(ENTRY + ENTRY)) == (BOOT_ORDER, BOOT_ORDER)
    assert parse_variables(file_of(b"")) == ()


def test_remnants_in_the_padding_are_not_data() -> None:
    assert parse_variables(file_of(ENTRY[:-2] + b"!!" + ENTRY)) == (BOOT_ORDER, BOOT_ORDER)


@pytest.mark.parametrize(
    ("offset", "field"),
    [(0, "reserved"), (8, "magic"), (16, "length"), (20, "crc32"), (60, "crc32")],
)
def test_one_wrong_bit_is_named(offset: int, field: str) -> None:
    data = bytearray(file_of(ENTRY))
    data[offset] ^= 1
    with pytest.raises(FormatError, match=f"efi_var_file: {field} is "):
        parse_variables(bytes(data))


def test_an_entry_that_ends_early_is_refused_although_the_checksum_is_right() -> None:
    for cut in range(1, len(ENTRY) - 2):
        with pytest.raises(FormatError, match="efi_var_entry"):
            parse_variables(file_of(ENTRY + ENTRY[:cut]))


@pytest.mark.parametrize("name", ["a\0b", "\U0001f600"])
def test_a_name_is_ucs2_text(name: str) -> None:
    with pytest.raises(FormatError, match="not UCS-2"):
        Variable(name, GLOBAL_VARIABLE, 0, 0, b"").pack()


variables = st.builds(
    Variable,
    st.text(st.characters(min_codepoint=1, max_codepoint=0xFFFF), max_size=12),
    st.binary(min_size=16, max_size=16).map(Guid),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=20),
)


@given(st.lists(variables, max_size=4))
def test_all_variables_come_back_from_their_file(wanted: list[Variable]) -> None:
    assert parse_variables(pack_variables(wanted)) == tuple(wanted)
