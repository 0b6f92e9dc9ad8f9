"""What must hold after a case, on outcomes that are made up."""

from dataclasses import replace

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.formats.guid import ESP_TYPE
from ubtest.fuzz.case import Case
from ubtest.fuzz.corpus import Corpus
from ubtest.fuzz.finding import Finding, Kind, Sighting, crash_site
from ubtest.fuzz.oracle import Oracle
from ubtest.fuzz.trial import Answer, Outcome
from ubtest.lab.board import FirmwareImage

BEFORE = b"old " * 256
IMAGE = FirmwareImage(ESP_TYPE, 1, 0, 0, len(BEFORE))


@pytest.fixture(scope="session")
def corpus(ring: KeyRing) -> Corpus:
    return Corpus(ring, ESP_TYPE, 1)


@pytest.fixture
def oracle(corpus) -> Oracle:
    return Oracle(IMAGE, corpus.certificates, "2025.01")


def wrote(image: bytes, answer: Answer = Answer.SUCCESS) -> Outcome:
    return Outcome(answer, BEFORE, image.ljust(len(BEFORE), b"\xff"))


def seen(oracle, good, outcome, file=None):
    file = good.capsule.pack() if file is None else file
    return oracle.sighting(file, lambda: good.authentic, outcome)


def test_a_good_capsule_that_is_written_is_right(oracle, corpus):
    good = corpus.good("signed", 1)
    assert seen(oracle, good, wrote(good.authentic[0])) is None


def test_a_bad_capsule_that_is_refused_is_right(oracle, corpus):
    good = corpus.good("unsigned", 1)
    assert seen(oracle, good, Outcome(Answer.REFUSED, BEFORE, BEFORE)) is None


@pytest.mark.parametrize("name", ["unsigned", "untrusted"])
@pytest.mark.parametrize("answer", Answer)
def test_an_image_that_nobody_signed_must_not_be_in_flash(oracle, corpus, name, answer):
    good = corpus.good(name, 1)
    image = good.capsule.payloads[0].image
    assert seen(oracle, good, wrote(image, answer)).kind is Kind.FORGED


def test_half_an_image_is_not_authentic(oracle, corpus):
    good = corpus.good("signed", 1)
    assert seen(oracle, good, wrote(good.authentic[0][:-1])).kind is Kind.FORGED


def test_an_authentic_image_under_a_broken_signature_is_accepted_wrongly(oracle, corpus):
    good = corpus.good("signed", 1)
    payload = good.capsule.payloads[0]
    broken = replace(payload, signature=payload.signature[:-1] + b"\0")
    file = replace(good.capsule, payloads=(broken,)).pack()
    sighting = seen(oracle, good, wrote(good.authentic[0]), file)
    assert (sighting.kind, sighting.site) == (Kind.ACCEPTED, "signature")


def test_the_rest_of_the_chip_must_stay(oracle, corpus):
    good = corpus.good("signed", 1)
    outcome = replace(wrote(good.authentic[0]), outside=True)
    assert seen(oracle, good, outcome).kind is Kind.OUTSIDE
    refused = Outcome(Answer.REFUSED, BEFORE, BEFORE, outside=True)
    assert seen(oracle, good, refused).kind is Kind.OUTSIDE


def test_refused_and_written_is_wrong(oracle, corpus):
    good = corpus.good("signed", 1)
    assert seen(oracle, good, wrote(good.authentic[0], Answer.REFUSED)).kind is Kind.REFUSED


def test_the_first_payload_may_be_written_before_the_second_is_refused(oracle, corpus):
    good = corpus.good("two payloads", 1)
    first, second = good.capsule.payloads
    broken = replace(good.capsule, payloads=(first, replace(second, header_version=9)))
    outcome = wrote(good.authentic[0], Answer.REFUSED)
    assert seen(oracle, good, outcome, broken.pack()) is None


def test_success_without_a_write_is_wrong_and_known_where_the_version_has_the_bug(oracle, corpus):
    good = corpus.good("signed", 1)
    nothing = Outcome(Answer.SUCCESS, BEFORE, BEFORE)
    assert seen(oracle, good, nothing).known is None
    short = replace(good.capsule, header_size=7).pack()
    assert seen(oracle, good, nothing, short).known == "update-capsule-skips"
    empty = replace(good.capsule, payload_item_count=0).pack()
    assert seen(oracle, good, nothing, empty).known == "no-payload-is-success"
    later = replace(oracle, version="2031.01")
    assert seen(later, good, nothing, short).known is None


def test_a_crash_on_an_unreadable_signature_is_known_and_no_other(oracle, corpus):
    good = corpus.good("signed", 1)
    crash = Outcome(
        Answer.CRASHED, BEFORE, BEFORE, said="Segmentation violation\npc = 0x5, pc_reloc = 0x1234"
    )
    assert seen(oracle, good, crash).known is None
    payload = replace(good.capsule.payloads[0], signature=bytes(900))
    broken = replace(good.capsule, payloads=(payload,)).pack()
    assert seen(oracle, good, crash, broken).known == "pkcs7-error-aborts"
    assert seen(replace(oracle, version="2023.01"), good, crash, broken).known is None


def test_a_hang_is_a_finding(oracle, corpus):
    good = corpus.good("signed", 1)
    assert seen(oracle, good, Outcome(Answer.HUNG, BEFORE, BEFORE)).kind is Kind.HANG


@pytest.mark.parametrize(
    ("said", "site"),
    [
        (
            '"Synchronous Abort" handler, esr 0x96000004, far 0x8\n'
            "elr: 000000000007e614 lr : 000000000006f764 (reloc)\nelr: 1 lr : 2\n",
            "esr 0x96000004 at 0x7e600 and behind",
        ),
        (
            "Segmentation violation\npc = 0x55eb6a2b92be, pc_reloc = 0x1412be\n",
            "Segmentation violation at 0x141200 and behind",
        ),
        (
            "Segmentation violation\npc = 0x55aa3e389c33, pc_reloc = 0x55a9be392c33",
            "Segmentation violation at 0x...c33",
        ),
        (
            "ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7f\nREAD of size 8\n"
            "    #0 0x55 in some_function file.c:1\n    #1 0x56 in other file.c:2\n",
            "AddressSanitizer: stack-buffer-overflow at some_function",
        ),
        ("noise\nfailed at 0x12ab with 77\n", "failed at N with N"),
        ("", "silence"),
    ],
)
def test_a_crash_is_named_after_its_place(said, site):
    assert crash_site(said) == site


def test_a_class_looks_like_what_most_of_it_looks_like():
    sighting = Sighting(Kind.CRASH, "somewhere", "pkcs7-error-aborts")
    finding = Finding(sighting, Case(1, "signed", ()), b"", "")
    finding.looks.update({None: 28, "pkcs7-error-aborts": 1})
    assert finding.known is None
    assert finding.count == 29
    assert str(finding) == "crashed (somewhere)"
    finding.looks["pkcs7-error-aborts"] += 28
    assert finding.known == "pkcs7-error-aborts"
