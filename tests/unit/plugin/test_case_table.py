"""The capsule table itself: what a reviewer may rely on when reading it."""

import pytest

from ubtest.cases.capsule_case import Bench, Effect, Path
from ubtest.cases.capsule_headers import HEADERS
from ubtest.cases.capsule_signatures import SIGNATURES
from ubtest.formats.guid import Guid
from ubtest.formats.status import SUCCESS
from ubtest.media.content import Content
from ubtest.plugin.known_bugs import known_bug

ROWS = [(f"{t}: {c.differs}", c) for t, cases in {**HEADERS, **SIGNATURES}.items() for c in cases]


@pytest.fixture
def bench(ring) -> Bench:
    return Bench(ring, Guid.of("00112233-4455-6677-8899-aabbccddeeff"), 1, b"image " * 600)


def test_there_are_many_and_each_has_a_name_of_its_own():
    names = [name for name, _ in ROWS]
    assert len(names) == len(set(names)) >= 120


def test_every_row_makes_its_own_capsule(bench):
    made = {}
    for name, case in ROWS:
        if name == "signers: RSA 4096":
            continue  # the unit tests' ring has no such key
        data = case.make(bench)
        assert data not in made, f"{name} is the same as {made[data]}"
        made[data] = name


def test_every_answer_is_seen_at_boot():
    """A status, and whether the flash was written: as the same rows on disk give it."""
    files = [case for _, case in ROWS if Path.DISK in case.paths]
    boots = [case for _, case in ROWS if Path.BOOT in case.paths]
    assert {(c.status, c.effect) for c in boots} == {(c.status, c.effect) for c in files}
    assert 25 <= len(boots) <= 40


def test_the_flash_after_a_row(bench):
    refused, accepted = (
        next(case for _, case in ROWS if case.effect is effect) for effect in Effect
    )
    before = Content.of(bytes(range(256)) * 128)
    region = slice(0x1000, 0x4000)
    assert refused.flash_after(bench, before, region) == before
    after = bytes(accepted.flash_after(bench, before, region))
    assert after[region] == bench.image + b"\xff" * (0x3000 - len(bench.image))
    assert after[: region.start] + after[region.stop :] == before[:0x1000] + before[0x4000:]


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_a_row_is_consistent(name, case):
    assert case.why
    assert case.paths
    assert case.bug is None or known_bug(case.bug)
    if case.status == SUCCESS:
        assert case.effect is Effect.WRITTEN
    if Path.BOOT in case.paths:
        assert Path.DISK in case.paths, "what differs at boot shows only beside the same by command"
    if case.status is None:
        assert Path.MEMORY not in case.paths, "only a file can be too short to become a capsule"
