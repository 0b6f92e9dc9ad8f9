"""Boot options and the device paths in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.guid import Guid
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.formats.record import FormatError

PARTITION = Guid.of("f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f")
# What the specification's tables give for the first partition, from sector 2048, 126976 sectors
DRIVE = bytes.fromhex(
    "04 01 2a00 01000000 0008000000000000 00f0010000000000 c3d2e1f0a5b48796 78695a4b3c2d1e0f 02 02"
)


def test_the_node_of_a_partition_is_what_the_specification_says() -> None:
    assert hard_drive(HardDrive(1, 2048, 126976, PARTITION)) == DRIVE


def test_the_node_of_a_file_ends_in_a_zero() -> None:
    assert file_path("\\x") == bytes.fromhex("04 04 0a00 5c00 7800 0000")


def test_a_load_option_is_what_the_specification_says() -> None:
    option = LoadOption("os", DRIVE + END, ACTIVE, b"data")
    head = bytes.fromhex("01000000 2e00 6f00 7300 0000")
    assert option.pack() == head + DRIVE + END + b"data"
    assert LoadOption.parse(option.pack()) == option


def test_a_load_option_that_ends_early_is_refused() -> None:
    whole = LoadOption("os", DRIVE + END).pack()
    for end in range(len(whole)):
        with pytest.raises(FormatError, match="EFI_LOAD_OPTION"):
            LoadOption.parse(whole[:end])


@pytest.mark.parametrize(
    "make", [lambda: file_path("a\0b"), lambda: LoadOption("a\0b", END).pack()]
)
def test_text_has_no_zero_in_it(make) -> None:
    with pytest.raises(FormatError, match="has a zero in it"):
        make()


def test_a_description_is_text() -> None:
    with pytest.raises(FormatError, match="Description"):
        LoadOption.parse(bytes.fromhex("01000000 0000 00d8 4100 0000"))


@given(
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=12),
    st.binary(max_size=60),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=20),
)
def test_every_load_option_comes_back(
    description: str, path: bytes, attributes: int, data: bytes
) -> None:
    option = LoadOption(description, path, attributes, data)
    assert LoadOption.parse(option.pack()) == option
