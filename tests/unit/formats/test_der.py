"""DER taken apart: right elements are found, and no wrong one leads out of what holds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.der import Element, IndefiniteLength, children, dotted, element, integer
from ubtest.formats.record import FormatError


def tlv(tag: int, value: bytes) -> bytes:
    """With as few bytes of length as there can be."""
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + value


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(max_size=3))
def test_children_are_what_was_put_together(values: list[bytes], behind: bytes) -> None:
    der = tlv(0x30, b"".join(tlv(0x04, value) for value in values)) + behind
    root = element(der, 0)
    assert root.end == len(der) - len(behind)
    assert [der[each.body : each.end] for each in children(der, root)] == values


@pytest.mark.parametrize(
    ("der", "said"),
    [
        ("", "no element"),
        ("30", "no element"),
        ("30030201", "leads 1 beyond"),
        ("1f0100", "a tag of several bytes"),
        ("3082", "a length of 2 bytes"),
        ("30850000000000", "a length of 5 bytes"),
        ("30847fffffff", "leads 2147483647 beyond"),
    ],
)
def test_what_is_no_whole_element_is_an_error(der: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        element(bytes.fromhex(der), 0)


def test_an_indefinite_length_is_said_to_be_one() -> None:
    with pytest.raises(IndefiniteLength):
        element(bytes.fromhex("30800000"), 0)


def test_a_child_does_not_lead_out_of_its_parent() -> None:
    der = bytes.fromhex("30 03 04 02 00 00")
    with pytest.raises(FormatError, match="at 0x2: leads 1 beyond"):
        children(der, element(der, 0))


def test_what_holds_a_value_holds_no_elements() -> None:
    der = bytes.fromhex("04 02 05 00")
    with pytest.raises(FormatError, match="holds no other elements"):
        children(der, element(der, 0))


@given(st.binary(max_size=60))
def test_any_bytes_stay_within_bounds(der: bytes) -> None:
    def walk(parent: Element) -> None:
        at = parent.body
        for child in children(der, parent):
            assert parent.body <= child.at < child.body <= child.end <= parent.end
            assert child.at == at
            at = child.end
        assert at == parent.end

    try:
        root = element(der, 0)
        assert root.end <= len(der)
        walk(root)
    except FormatError:
        pass


def test_numbers_are_signed() -> None:
    der = bytes.fromhex("02 02 ff 7f")
    assert integer(der, element(der, 0)) == -129


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("2a864886f70d010702", "1.2.840.113549.1.7.2"),
        ("883703", "2.999.3"),
        ("00", "0.0"),
        ("2a86", "2a86"),
        ("", "empty"),
    ],
)
def test_object_identifiers_are_dotted(raw: str, said: str) -> None:
    der = tlv(0x06, bytes.fromhex(raw))
    assert dotted(der, element(der, 0)) == said
