"""When preflight may start the EFI subsystem: never where that would apply a capsule or take back
a request."""

from dataclasses import replace

import pytest
from recorded import CONFIG, STORED, good

from ubtest.firmware.config import Kconfig
from ubtest.preflight.facts import Facts, Unread
from ubtest.preflight.gather import may_start_efi

IGNORES = Kconfig.parse(CONFIG + "CONFIG_EFI_IGNORE_OSINDICATIONS=y\n")
NO_CAPSULES = Kconfig.parse("CONFIG_EFI_VARIABLE_FILE_STORE=y\n")


def store(facts: Facts, variables: object) -> Facts:
    volumes = tuple(replace(each, store=variables) for each in facts.volumes)  # type: ignore[arg-type]
    stored = () if variables is None else variables
    return replace(facts, stored=stored, volumes=volumes)  # type: ignore[arg-type]


def no_files(facts: Facts) -> Facts:
    return replace(facts, volumes=tuple(replace(each, files=()) for each in facts.volumes))


@pytest.mark.parametrize(
    ("change", "may"),
    [
        (lambda f: f, False),  # a request and a capsule
        (no_files, False),  # the request would be taken back
        (lambda f: store(f, STORED[:2]), True),
        (lambda f: store(f, None), True),
        (lambda f: store(f, Unread("damaged")), False),
        (lambda f: replace(store(f, None), stored=Unread("not in a file")), False),
        (lambda f: replace(store(f, STORED[:2]), config=IGNORES), False),
        (lambda f: replace(no_files(store(f, STORED[:2])), config=IGNORES), True),
        (lambda f: replace(f, config=NO_CAPSULES), True),
    ],
)
def test_on_a_desk(ring, change, may):
    assert may_start_efi(change(good(ring["trusted"])), copy=False) is may


def test_a_request_on_another_disk_counts(ring):
    facts = good(ring["trusted"])
    (own,) = facts.volumes
    other = replace(own, partition=replace(own.partition, device="mmc 0"))
    mixed = replace(store(facts, STORED[:2]), volumes=(replace(own, store=STORED[:2]), other))
    assert not may_start_efi(mixed, copy=False)


def test_a_copy_without_capsules_always_may(ring):
    assert may_start_efi(good(ring["trusted"]), copy=True)
