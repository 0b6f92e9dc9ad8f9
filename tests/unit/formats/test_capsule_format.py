"""Capsules as bytes: examples written out from the specification, and round trips."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ubtest.formats.capsule import Capsule, CapsuleResult, FmpPayload
from ubtest.formats.efitime import EfiTime
from ubtest.formats.fmp import FmpState
from ubtest.formats.guid import FMP_CAPSULE, ZERO, Guid
from ubtest.formats.record import FormatError

TYPE = Guid.of("00112233-4455-6677-8899-aabbccddeeff")
TYPE_WIRE = "33221100 5544 7766 8899 aabbccddeeff"
PAYLOAD = FmpPayload(TYPE, b"firmware", index=2, hardware_instance=3)
SIGNED = replace(PAYLOAD, signature=b"SIG", monotonic_count=7, fw_version=5)

PLAIN_WIRE = bytes.fromhex(
    # EFI_CAPSULE_HEADER: guid, header 28, flags, 28 + 16 + 48 + 8 bytes
    "edd5cb6d 2de8 444c bda1 7194199ad92a 1c000000 00000100 64000000"
    # EFI_FIRMWARE_MANAGEMENT_CAPSULE_HEADER: version 1, no drivers, 1 payload at 16
    "01000000 0000 0100 1000000000000000"
    # ..._IMAGE_HEADER: version 3, type, index 2, 8 bytes, no vendor code, instance 3, unsigned
    f"03000000 {TYPE_WIRE} 02 000000 08000000 00000000 0300000000000000 0000000000000000"
    # "firmware"
    "6669726d77617265"
)
SIGNED_BODY = bytes.fromhex(
    # EFI_FIRMWARE_IMAGE_AUTHENTICATION: count 7, 24 + 3 bytes, revision 2.0, EFI GUID, PKCS7
    "0700000000000000 1b000000 0002 f10e 9dd2af4a df68 ee49 8aa9 347d375665a7"
    # signature, MSS1 header: 16 bytes, version 5, lowest 0
    "534947 4d535331 10000000 05000000 00000000 6669726d77617265"
)


def test_an_unsigned_capsule_is_what_the_specification_says() -> None:
    assert Capsule((PAYLOAD,)).pack() == PLAIN_WIRE


def test_a_signed_payload_is_authentication_signature_version_image() -> None:
    packed = SIGNED.pack()
    assert packed[48:] == SIGNED_BODY
    assert packed[24:28] == len(SIGNED_BODY).to_bytes(4, "little")
    assert packed[40:48] == (1).to_bytes(8, "little")


def test_what_is_signed_is_version_image_and_count() -> None:
    count = bytes.fromhex("0700000000000000")
    assert SIGNED.signed_data() == SIGNED_BODY[35:] + count
    assert replace(SIGNED, fw_version=None).signed_data() == b"firmware" + count


def test_a_second_payload_follows_the_first_and_the_longer_offset_list() -> None:
    data = Capsule((PAYLOAD, SIGNED)).pack()
    assert data[36:52] == (24).to_bytes(8, "little") + (24 + 56).to_bytes(8, "little")
    assert Capsule.parse(data).payloads == (PAYLOAD, SIGNED)


def test_a_capsule_without_payloads_has_only_headers() -> None:
    assert len(Capsule(()).pack()) == 28 + 8


@pytest.mark.parametrize(
    ("broken", "offset", "wire"),
    [
        (replace(Capsule((PAYLOAD,)), guid=ZERO), 0, bytes(16)),
        (replace(Capsule((PAYLOAD,)), header_size=8), 16, b"\x08\0\0\0"),
        (replace(Capsule((PAYLOAD,)), flags=0x50000), 20, b"\0\0\x05\0"),
        (replace(Capsule((PAYLOAD,)), image_size=0xFFFFFFFF), 24, b"\xff" * 4),
        (replace(Capsule((PAYLOAD,)), fmp_version=2), 28, b"\x02\0\0\0"),
        (replace(Capsule((PAYLOAD,)), embedded_driver_count=1), 32, b"\x01\0"),
        (replace(Capsule((PAYLOAD,)), payload_item_count=0), 34, b"\0\0"),
        (replace(Capsule((PAYLOAD,)), item_offsets=(2**64 - 1,)), 36, b"\xff" * 8),
        (Capsule((replace(PAYLOAD, header_version=1),)), 44, b"\x01\0\0\0"),
        (Capsule((replace(PAYLOAD, image_size=0x7FFFFFFF),)), 68, b"\xff\xff\xff\x7f"),
        (Capsule((replace(PAYLOAD, vendor_code_size=1),)), 72, b"\x01\0\0\0"),
        (Capsule((replace(PAYLOAD, support=1),)), 84, b"\x01" + bytes(7)),
    ],
)
def test_a_lie_changes_its_field_and_nothing_else(
    broken: Capsule, offset: int, wire: bytes
) -> None:
    data = broken.pack()
    assert data[offset : offset + len(wire)] == wire
    assert data[:offset] + data[offset + len(wire) :] == (
        PLAIN_WIRE[:offset] + PLAIN_WIRE[offset + len(wire) :]
    )


@pytest.mark.parametrize(
    ("change", "offset", "wire"),
    [
        ({"monotonic_count": 8}, 0, b"\x08" + bytes(7)),
        ({"certificate_length": 0xFFFFFF00}, 8, b"\0\xff\xff\xff"),
        ({"certificate_revision": 0x0100}, 12, b"\0\x01"),
        ({"certificate_kind": 2}, 14, b"\x02\0"),
        ({"certificate_type": ZERO}, 16, bytes(16)),
        ({"version_header_size": 0xFFFF}, 39, b"\xff\xff\0\0"),
        ({"lowest_supported_version": 9}, 47, b"\x09\0\0\0"),
    ],
)
def test_a_lie_in_the_signed_part_changes_its_field_and_nothing_else(
    change: dict[str, Any], offset: int, wire: bytes
) -> None:
    body = replace(SIGNED, **change).pack()[48:]
    assert body == SIGNED_BODY[:offset] + wire + SIGNED_BODY[offset + len(wire) :]


def test_parse_refuses_what_it_could_not_give_back() -> None:
    gap = bytearray(PLAIN_WIRE)
    gap[36] = 24
    with pytest.raises(FormatError, match=r"missing|no field accounts for"):
        Capsule.parse(bytes(gap) + bytes(8))
    with pytest.raises(FormatError, match="no field accounts for"):
        Capsule.parse(bytes(gap[:44]) + bytes(8) + PLAIN_WIRE[44:])


def test_a_certificate_larger_than_its_payload_is_refused() -> None:
    with pytest.raises(FormatError, match=r"AuthInfo.CertData at 0x20: needs 1000 bytes"):
        Capsule.parse(Capsule((replace(SIGNED, certificate_length=1024),)).pack())
    with pytest.raises(FormatError, match="negative size -1"):
        Capsule.parse(Capsule((replace(SIGNED, certificate_length=23),)).pack())


def test_dump_names_every_header_with_offsets_of_the_file() -> None:
    lines = list(Capsule((SIGNED,)).dump())
    assert lines[:2] == [
        "EFI_CAPSULE_HEADER",
        f"  0x0000  CapsuleGuid              {FMP_CAPSULE} "
        "(EFI_FIRMWARE_MANAGEMENT_CAPSULE_ID_GUID)",
    ]
    assert "  0x0024  ItemOffsetList           16 (0x10)" in lines
    assert "  0x005c  MonotonicCount           7 (0x7)" in lines
    assert "  0x007c  AuthInfo.CertData        3 bytes" in lines
    assert "  0x007f  Signature                827544397 (0x3153534d)" in lines
    assert lines[-1] == "  0x008f  image                    8 bytes"


def test_a_result_variable_is_0x30_bytes() -> None:
    wire = bytes.fromhex(
        "30000000 00000000 edd5cb6d2de8444cbda17194199ad92a"
        "e907 0c 1f 17 3b 3a 00 00000000 c4ff 01 00 1a00000000000080"
    )
    result = CapsuleResult(
        0x30,
        0,
        FMP_CAPSULE,
        EfiTime(2025, 12, 31, 23, 59, 58, time_zone=-60, daylight=1),
        1 << 63 | 26,
    )
    assert CapsuleResult.parse(wire) == result
    assert result.pack() == wire
    assert "  0x0018  CapsuleProcessed         2025-12-31 23:59:58" in result.dump()


def test_fmp_state_is_four_words() -> None:
    assert FmpState.parse(bytes.fromhex("05000000 02000000 06000000 00000000")) == FmpState(
        5, 2, 6, 0
    )


u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
guids = st.binary(min_size=16, max_size=16).map(Guid)


@st.composite
def payloads(draw: st.DrawFn) -> FmpPayload:
    image = draw(st.binary(max_size=64))
    assume(not image.startswith(b"MSS1"))
    payload = FmpPayload(
        draw(guids),
        image,
        index=draw(st.integers(0, 255)),
        hardware_instance=draw(u64),
        vendor_code=draw(st.binary(max_size=9)),
        header_version=draw(u32),
        reserved=draw(st.binary(min_size=3, max_size=3)),
    )
    if draw(st.booleans()):
        payload = replace(
            payload,
            fw_version=draw(u32),
            lowest_supported_version=draw(u32),
            version_header_size=draw(st.none() | u32.filter(lambda size: size != 16)),
        )
    if draw(st.booleans()):
        payload = replace(
            payload,
            signature=draw(st.binary(max_size=40)),
            monotonic_count=draw(u64),
            certificate_revision=draw(st.integers(0, 0xFFFF)),
            certificate_kind=draw(st.integers(0, 0xFFFF)),
            certificate_type=draw(guids),
        )
    return payload


capsules = st.builds(
    Capsule,
    st.lists(payloads(), max_size=3).map(tuple),
    flags=u32,
    guid=guids,
    fmp_version=u32,
    trailing=st.binary(max_size=9),
)


@given(capsules)
def test_every_capsule_comes_back_from_its_bytes(capsule: Capsule) -> None:
    assert Capsule.parse(capsule.pack()) == capsule


@given(capsules, st.data())
def test_damaged_capsules_parse_without_loss_or_are_refused(
    capsule: Capsule, data: st.DataObject
) -> None:
    wire = bytearray(capsule.pack())
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        parsed = Capsule.parse(bytes(wire))
    except FormatError:
        return
    assert parsed.pack() == wire
