"""Signature lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.formats.siglist import Signature, SignatureList, parse_database, x509_database

OWNER = Guid.of("00112233-4455-6677-8899-aabbccddeeff")
WIRE = bytes.fromhex(
    # EFI_CERT_X509_GUID, 28 + 16 + 3 bytes, no header, 16 + 3 bytes each
    "a159c0a5 e494 a74a 87b5 ab155c2bf072 2f000000 00000000 13000000"
    "33221100 5544 7766 8899 aabbccddeeff 444552"
)


def test_a_list_is_what_the_specification_says() -> None:
    assert SignatureList((Signature(OWNER, b"DER"),)).pack() == WIRE
    assert SignatureList.parse(WIRE) == SignatureList((Signature(OWNER, b"DER"),))


def test_certificates_get_a_list_each() -> None:
    database = x509_database(OWNER, [b"DER", b"longer"])
    assert database.startswith(WIRE)
    assert [len(each.signatures) for each in parse_database(database)] == [1, 1]
    assert [each.signatures[0].data for each in parse_database(database)] == [b"DER", b"longer"]


def test_a_list_holds_one_size_only() -> None:
    with pytest.raises(FormatError, match=r"not of \[1, 2\] bytes"):
        SignatureList((Signature(OWNER, b"a"), Signature(OWNER, b"bb"))).pack()
    with pytest.raises(FormatError, match="of one size"):
        SignatureList(()).pack()


@pytest.mark.parametrize("size", [0, 15, 18, 20, 0xFFFFFFFF])
def test_sizes_that_contradict_each_other_are_refused(size: int) -> None:
    with pytest.raises(FormatError, match="do not divide"):
        SignatureList.parse(WIRE[:24] + size.to_bytes(4, "little") + WIRE[28:])


def test_a_database_ends_with_a_list() -> None:
    with pytest.raises(FormatError, match="Signatures at 0x4b: needs 19 bytes, 1 are missing"):
        parse_database(WIRE + WIRE[:-1])


@given(st.integers(0, 40).flatmap(
    lambda size: st.lists(st.binary(min_size=size, max_size=size), min_size=1, max_size=4)
))  # fmt: skip
def test_every_list_comes_back_from_its_bytes(contents: list[bytes]) -> None:
    signatures = SignatureList(tuple(Signature(OWNER, data) for data in contents))
    assert SignatureList.parse(signatures.pack()) == signatures
