"""Mutations: each does what its name says, and none of any list of them stumbles."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.crypto.keyring import KeyRing
from ubtest.formats.capsule import Capsule, CapsuleHeader
from ubtest.formats.guid import ESP_TYPE
from ubtest.fuzz.case import GOODS, Cases
from ubtest.fuzz.corpus import Corpus
from ubtest.fuzz.field import places
from ubtest.fuzz.mutation import FILE, LARGEST, Mutation, mutate, stage
from ubtest.fuzz.tlv import named, parse, walk


@pytest.fixture(scope="session")
def corpus(ring: KeyRing) -> Corpus:
    return Corpus(ring, ESP_TYPE, 1)


@pytest.fixture
def good(corpus):
    return corpus.good("versioned", 5)


def nothing() -> bytes:
    return b""


def one(good, do: str, at: str, arg: int = 0) -> bytes:
    return mutate(good, [Mutation(do, at, arg)], nothing)


@given(st.integers(0, 10**9), st.sampled_from(["even", "signature"]), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_part_of_any_case_is_a_file(corpus, number, mix, data):
    cases = Cases(corpus, 5, mix)
    case = cases[number]
    some = data.draw(st.lists(st.sampled_from(case.mutations), unique=True))
    file = cases.file(replace(case, mutations=tuple(sorted(some, key=stage))))
    assert len(file) <= LARGEST


@pytest.mark.parametrize("name", GOODS)
def test_without_a_mutation_it_is_the_good_one(corpus, name):
    good = corpus.good(name, 3)
    assert mutate(good, [], nothing) == good.capsule.pack()


@pytest.mark.parametrize("name", GOODS)
def test_the_places_are_where_the_formats_put_them(corpus, name):
    """Each field is overwritten with ones, and only its bytes change."""
    good = corpus.good(name, 3)
    before = good.capsule.pack()
    fields = places(good.capsule)
    assert fields["outer HeaderSize"].at == 16
    for at, place in fields.items():
        if place.size > 16:
            continue
        after = one(good, "set", at, (1 << 8 * place.size) - 1)
        assert after[place.at : place.at + place.size] == b"\xff" * place.size
        assert after[: place.at] == before[: place.at]
        assert after[place.at + place.size :] == before[place.at + place.size :]


def test_fields_wrap_around(good):
    header = CapsuleHeader.parse(one(good, "add", "outer HeaderSize", -29))
    assert header.header_size == 0xFFFFFFFF
    assert CapsuleHeader.parse(one(good, "bit", "outer Flags", 3)).flags == 0x10008
    size = len(good.capsule.pack())
    file = one(good, "size of the file plus", "outer CapsuleImageSize", 2)
    assert CapsuleHeader.parse(file).image_size == size + 2


def test_sizes_follow_an_edit_of_the_signatures_structure(good):
    file = one(good, "twice", "signature 0: certificates.0")
    capsule = Capsule.parse(file)
    signature = capsule.payloads[0].signature
    certificates = next(node for path, node in walk(parse(signature)) if path == "1.0.3")
    assert len(certificates.children) == 2
    assert len(file) == CapsuleHeader.parse(file).image_size


def test_a_length_is_wrong_where_that_is_the_edit(good):
    signature = (
        Capsule.parse(one(good, "length", "signature 0: SignedData", 3)).payloads[0].signature
    )
    assert b"\x30\x80" in signature[:30]
    with pytest.raises(ValueError):
        walk_all = list(walk(parse(signature)))
        raise AssertionError(walk_all)


def test_the_tree_loses_no_byte(corpus):
    for name in GOODS:
        for payload in corpus.good(name, 1).capsule.payloads:
            if payload.signature:
                assert parse(payload.signature).encode() == payload.signature


def test_every_part_has_a_name_of_its_own(good):
    paths = [path for path, _ in walk(parse(good.capsule.payloads[0].signature))]
    names = [named(path) for path in paths]
    assert len(set(names)) == len(names)
    assert {"ContentInfo", "SignedData", "certificates.0.0.6", "SignerInfo.5"} <= set(names)


def test_a_place_that_is_gone_is_passed_over(good):
    gone = Mutation("payload left away", "payload 0", 0)
    then = Mutation("set", "payload 0 Version", 9)
    assert mutate(good, [gone, then], nothing) == mutate(good, [gone], nothing)
    assert one(good, "set", "payload 7 Version", 9) == good.capsule.pack()


def test_splice_takes_the_end_of_another(good):
    file = mutate(good, [Mutation("splice", FILE, 100)], lambda: b"\xaa" * 150)
    assert file == good.capsule.pack()[:100] + b"\xaa" * 50
