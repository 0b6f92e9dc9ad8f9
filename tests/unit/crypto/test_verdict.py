"""Verdicts: each rule of U-Boot, in its order; openssl makes and judges signatures of its own."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.cases.breakages import BREAKAGES
from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed, signed_again
from ubtest.crypto.verdict import Answer, judge
from ubtest.crypto.verification import Signed, Undecided, reason_to_refuse
from ubtest.formats import status
from ubtest.formats.acceptance import Target
from ubtest.formats.capsule import Capsule, CapsuleHeader
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import ESP_TYPE, FW_ACCEPT

IMAGE = b"firmware\r\n" * 20
PAYLOAD = FmpPayload(ESP_TYPE, IMAGE, fw_version=7)
TARGET = Target((ESP_TYPE, 1), 3)


@pytest.fixture(scope="session")
def good(ring: KeyRing) -> Capsule:
    return Capsule((signed(ring["trusted"], PAYLOAD),))


@pytest.fixture(scope="session")
def trusted(ring: KeyRing) -> list[x509.Certificate]:
    return [key.certificate for key in ring.trusted]


def agree(signed: Signed) -> str | None:
    """A second opinion that has none: where openssl is not the question."""
    return None


def test_a_good_capsule_is_accepted_and_openssl_agrees(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    verdict = judge(good.pack(), trusted, TARGET)
    assert (verdict.answer, verdict.status) == (Answer.ACCEPTED, status.SUCCESS)
    assert [each.answer for each in verdict.payloads] == [Answer.ACCEPTED]


@pytest.mark.parametrize("name", BREAKAGES)
def test_each_breakage_gets_the_answer_in_its_table(
    name: str, good: Capsule, trusted: list[x509.Certificate]
) -> None:
    broken = BREAKAGES[name].break_it(good)
    verdict = judge(broken, trusted, TARGET, second_opinion=agree)
    assert verdict.status == BREAKAGES[name].seen
    expected = Answer.ACCEPTED if name == "zero-payloads" else Answer.REFUSED
    assert verdict.answer is expected


def test_an_untrusted_signer_is_named(ring: KeyRing, trusted: list[x509.Certificate]) -> None:
    verdict = judge(Capsule((signed(ring["untrusted"], PAYLOAD),)).pack(), trusted, TARGET)
    assert verdict.status == status.SECURITY_VIOLATION
    assert (
        verdict.why == "signed by 'CN=untrusted', which leads to none of the trusted certificates"
    )


def test_without_any_certificate_nothing_is_accepted(good: Capsule) -> None:
    assert judge(good.pack(), [], TARGET).answer is Answer.REFUSED


def test_a_version_below_the_lowest_is_refused_after_the_signature(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    verdict = judge(good.pack(), trusted, Target(lowest_version=8), second_opinion=agree)
    assert (verdict.status, verdict.rule) == (status.INVALID_PARAMETER, "lowest supported version")


def test_the_payload_before_a_refused_one_is_written(
    good: Capsule, ring: KeyRing, trusted: list[x509.Certificate]
) -> None:
    two = Capsule((good.payloads[0], signed(ring["untrusted"], PAYLOAD)))
    verdict = judge(two.pack(), trusted, TARGET, second_opinion=agree)
    assert verdict.answer is Answer.REFUSED
    assert [each.answer for each in verdict.payloads] == [Answer.ACCEPTED, Answer.REFUSED]
    assert verdict.notes == ("payload 0: written before this one is refused",)


@pytest.mark.parametrize(
    ("image", "rule"), [(b"", "item offset"), (b"x", "signed at all")], ids=["at the end", "before"]
)
def test_something_must_follow_an_image_header(
    image: bytes, rule: str, trusted: list[x509.Certificate]
) -> None:
    unsigned = Capsule((replace(PAYLOAD, image=image, fw_version=None),))
    assert judge(unsigned.pack(), trusted, TARGET).rule == rule


def test_an_offset_that_wraps_around_leads_back_as_in_the_firmware(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    # 48 bytes of image header end 30 bytes behind the start of the management header
    back = replace(good, item_offsets=((1 << 64) - 48 + 30,))
    verdict = judge(back.pack(), trusted, TARGET)
    assert (verdict.status, verdict.rule) == (status.UNSUPPORTED, "image header version")
    before = replace(good, item_offsets=((1 << 64) - 48 + 1,))
    assert judge(before.pack(), trusted, TARGET).answer is Answer.UNKNOWN


def test_what_only_the_board_knows_cannot_be_told(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    accept = CapsuleHeader(FW_ACCEPT, 28, 0, 44).pack() + ESP_TYPE.wire
    assert judge(accept, trusted, TARGET).answer is Answer.UNKNOWN
    many = replace(good, payload_item_count=65, trailing=bytes(9999))
    assert "65 payloads" in judge(many.pack(), trusted, TARGET).why
    thrice = replace(good, payload_item_count=3, item_offsets=(32, 32, 32))
    assert "overlap" in judge(thrice.pack(), trusted, TARGET, second_opinion=agree).why


def test_two_opinions_that_differ_are_no_verdict(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    verdict = judge(good.pack(), trusted, TARGET, second_opinion=lambda signed: "no")
    assert (verdict.answer, verdict.status) == (Answer.UNKNOWN, None)
    assert verdict.why.endswith("openssl says: no")


def test_signing_again_makes_what_was_broken_good(
    good: Capsule, ring: KeyRing, trusted: list[x509.Certificate]
) -> None:
    (payload,) = good.payloads
    broken = replace(payload, certificate_length=1, support=0, header_version=2)
    mended = Capsule((signed_again(ring["trusted"], broken),))
    assert mended.payloads[0].signed_data() == payload.signed_data()
    assert judge(mended.pack(), trusted, TARGET, second_opinion=agree).answer is Answer.ACCEPTED


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mutation_ends_in_a_verdict(
    data: st.DataObject, good: Capsule, trusted: list[x509.Certificate]
) -> None:
    wire = bytearray(good.pack())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(wire) - 1))
        wire[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    cut = data.draw(st.integers(0, len(wire)) | st.just(len(wire)))
    verdict = judge(bytes(wire[:cut]), trusted, TARGET, second_opinion=agree)
    # What is signed is the image and the count; nothing else may be taken for good when it changed
    if verdict.answer is Answer.ACCEPTED and verdict.payloads:
        (payload,) = Capsule.parse(bytes(wire[:cut])).payloads
        assert payload.signed_data() == good.payloads[0].signed_data()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_signature_ends_in_a_reason(
    data: st.DataObject, good: Capsule, trusted: list[x509.Certificate]
) -> None:
    signature = bytearray(good.payloads[0].signature or b"")
    at = data.draw(st.integers(0, len(signature) - 1))
    signature[at : at + 2] = data.draw(st.binary(max_size=6))

    def content() -> Iterator[bytes]:
        yield b"other data"

    with suppress(Undecided):
        assert reason_to_refuse(Signed(bytes(signature), content, trusted))


class Sparse:
    """4 GiB of zeros behind a head."""

    def __init__(self, head: bytes) -> None:
        self.head = head

    def __len__(self) -> int:
        return 4 << 30

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(len(self))
        return self.head[start:stop].ljust(max(0, stop - start), b"\0")


def test_a_large_image_is_hashed_a_little_at_a_time(
    good: Capsule, trusted: list[x509.Certificate]
) -> None:
    (payload,) = good.payloads
    head = Capsule((replace(payload, image_size=64 << 20),)).pack()
    tracemalloc.start()
    verdict = judge(Sparse(head), trusted, TARGET)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert verdict.why.startswith("the image or the count is not what was signed")
    assert peak < 16 << 20
