"""Cases follow from seed and number alone, and reach everything that can be mutated."""

import os
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from itertools import islice

import pytest

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.verdict import Answer, judge
from ubtest.formats.acceptance import Target
from ubtest.formats.guid import ESP_TYPE
from ubtest.fuzz.case import GOODS, MIXES, Cases
from ubtest.fuzz.corpus import Corpus
from ubtest.fuzz.draw import Draws
from ubtest.fuzz.mutation import BYTES, FIELD, PAYLOADS, SPLICE
from ubtest.fuzz.tlv import parse, walk
from ubtest.fuzz.tree_edit import TREE

# Of the first 300 cases of seed 1, as they are written in recipes. It changes with the tables of
# mutations, and with nothing else: not with keys, machine, Python or time.
FIRST_CASES = "7e9819d2a92a7917"


@pytest.fixture(scope="session")
def corpus(ring: KeyRing) -> Corpus:
    return Corpus(ring, ESP_TYPE, 1)


def digest(cases: Cases, count: int) -> str:
    files = sha256()
    for number in range(count):
        files.update(cases.file(cases[number]))
    return files.hexdigest()


def test_the_cases_of_a_seed_are_the_same_everywhere(corpus):
    cases = Cases(corpus, 1)
    names = "\n".join(map(repr, (cases[number] for number in range(300))))
    assert sha256(names.encode()).hexdigest()[:16] == FIRST_CASES


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_makes_the_same_bytes(corpus, ring, hash_seed):
    script = (
        "import sys; from pathlib import Path\n"
        "from ubtest.crypto.keyring import KeyRing\n"
        "from ubtest.formats.guid import ESP_TYPE\n"
        "from ubtest.fuzz.case import Cases; from ubtest.fuzz.corpus import Corpus\n"
        "from hashlib import sha256\n"
        "cases = Cases(Corpus(KeyRing.load(Path(sys.argv[1])), ESP_TYPE, 1), 7)\n"
        "files = (cases.file(cases[number]) for number in range(40))\n"
        "print(sha256(b''.join(files)).hexdigest())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", script, ring.folder],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest(Cases(corpus, 7), 40)


def test_a_case_does_not_depend_on_those_before_it(corpus):
    cases = Cases(corpus, 3)
    backwards = [cases[number] for number in reversed(range(50))]
    assert [cases[number] for number in range(50)] == backwards[::-1]


def test_another_seed_or_mix_has_other_cases(corpus):
    rows = [
        [cases[number] for number in range(20)]
        for cases in (Cases(corpus, 1), Cases(corpus, 2), Cases(corpus, 1, "signature"))
    ]
    assert rows[0] != rows[1]
    assert rows[0] != rows[2]


def test_hardly_a_case_is_the_good_capsule(corpus):
    cases = Cases(corpus, 1)
    same = [
        number
        for number in range(100)
        if cases.file(cases[number]) == corpus.good(cases[number].good, number).capsule.pack()
    ]
    assert len(same) < 8


def test_every_mutation_and_every_good_capsule_is_reached(corpus):
    rows = [
        cases[number]
        for mix in MIXES
        for cases in [Cases(corpus, 1, mix)]
        for number in range(1500)
    ]
    reached = {mutation.do for case in rows for mutation in case.mutations}
    assert reached == {*PAYLOADS, *TREE, *FIELD, *BYTES, SPLICE}
    assert {case.good for case in rows} == set(corpus.names) == set(GOODS)


@pytest.mark.parametrize("name", GOODS)
def test_a_good_capsule_is_what_it_says(corpus, name):
    good = corpus.good(name, 12)
    file = good.capsule.pack()
    verdict = judge(file, corpus.certificates, Target((ESP_TYPE, 1)), second_opinion=lambda s: None)
    assert (verdict.answer is Answer.ACCEPTED) == bool(good.authentic), verdict.why
    assert all(image in file for image in good.authentic)
    assert file == corpus.good(name, 12).capsule.pack()


def test_no_two_cases_share_an_image(corpus):
    images = [
        payload.image
        for name in GOODS
        for number in (1, 11, 12)
        for payload in corpus.good(name, number).capsule.payloads
    ]
    assert len(set(images)) == len(images)


def test_draws_are_spread_and_follow_their_weights():
    draws = Draws("x", 1)
    numbers = [draws.number(10) for _ in range(2000)]
    assert all(150 < numbers.count(n) < 250 for n in range(10))
    some = [draws.weighted({"often": 9, "never": 0, "seldom": 1}) for _ in range(1000)]
    assert some.count("never") == 0
    assert 50 < some.count("seldom") < 150
    assert len(set(islice(iter(lambda: draws.number(1 << 64), None), 100))) == 100


def test_the_signing_time_is_the_keys_and_not_the_days(corpus, ring):
    (payload,) = corpus.good("signed", 1).capsule.payloads
    attributes = [
        node for path, node in walk(parse(payload.signature)) if path.startswith("1.0.4.0.3")
    ]
    (time,) = [node.value.decode() for node in attributes if node.tag == b"\x17"]
    start = ring["trusted"].certificate.not_valid_before_utc
    assert time == f"{start + timedelta(hours=1):%y%m%d%H%M%SZ}"
