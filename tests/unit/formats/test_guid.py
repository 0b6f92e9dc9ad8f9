"""EFI_GUID."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.guid import FMP_CAPSULE, WELL_KNOWN, Guid, GuidWire
from ubtest.formats.record import FormatError


def test_the_first_three_groups_are_little_endian() -> None:
    assert FMP_CAPSULE.wire == bytes.fromhex("edd5cb6d 2de8 444c bda1 7194199ad92a")


@given(st.binary(min_size=16, max_size=16))
def test_text_and_wire_are_the_same_guid(wire: bytes) -> None:
    guid = Guid(wire)
    assert Guid.of(str(guid)) == Guid.of(str(guid).upper()) == guid
    assert uuid.UUID(str(guid)).bytes_le == wire
    assert repr(guid) == f"Guid.of('{guid}')"


@pytest.mark.parametrize(
    "text",
    ["", "6dcbd5ed", "{6dcbd5ed-e82d-4c44-bda1-7194199ad92a}", "6dcbd5ede82d4c44bda17194199ad92a"],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="EFI_GUID"):
        Guid.of(text)


def test_a_guid_has_16_bytes() -> None:
    with pytest.raises(FormatError, match="has 15 bytes"):
        Guid(bytes(15))


def test_well_known_guids_show_their_names() -> None:
    shown = GuidWire("CapsuleGuid").show(FMP_CAPSULE)
    assert shown == f"{FMP_CAPSULE} (EFI_FIRMWARE_MANAGEMENT_CAPSULE_ID_GUID)"
    assert len(set(WELL_KNOWN.values())) == len(WELL_KNOWN)
    assert Guid(b"\xaa" * 16).name is None
