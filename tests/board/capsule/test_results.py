"""What is reported of each capsule file, and in which order they are taken
(UEFI 2.10 sections 8.5.5 and 8.5.6)."""

from dataclasses import replace

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule, CapsuleResult
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CAPSULE_REPORT, Guid
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS, UNSUPPORTED
from ubtest.formats.varstore import NON_VOLATILE, Variable
from ubtest.uefi import variables
from ubtest.uefi.variables import PERSISTENT, READ_ONLY

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # seconds a test, more than half a minute together
]

mutates_flash = pytest.mark.mutates("flash")
OTHER_IMAGE = Guid.of("c4b2c1c3-8a0e-4b1d-9f0b-2f0a5f3e7d11")  # nobody's


def numbered(number: int) -> str:
    return f"Capsule{number:04X}"


def last_was(number: int) -> Variable:
    """CapsuleLast as an earlier update left it."""
    name = numbered(number).encode("utf-16-le")
    return Variable("CapsuleLast", CAPSULE_REPORT, PERSISTENT | READ_ONLY, 0, name)


@pytest.fixture
def maximum(firmware) -> int:
    """The highest number: CapsuleMax, or what 16 bits hold where the firmware has none."""
    return int(firmware.config.get("EFI_CAPSULE_MAX") or "0xFFFF", 0)


@pytest.fixture
def unknown(board, keyring) -> Capsule:
    """A well signed capsule for an image that the firmware does not have."""
    return Capsule((signed(keyring["trusted"], FmpPayload(OTHER_IMAGE, b"for another board")),))


# numbers


@mutates_flash
def test_numbers_go_on_over_boots(update, good, unsigned):
    update.place({"a.cap": good.pack()})
    first = update.by_command()
    update.place({"b.cap": unsigned.pack()}, variables=first.stored.values())

    second = update.by_command()

    assert first.report.name == numbered(0)
    assert second.report.name == numbered(1)
    assert first.results[numbered(0)].status == SUCCESS
    assert second.results[numbered(0)] == first.results[numbered(0)]
    assert second.results[numbered(1)].status == SECURITY_VIOLATION


def test_numbers_start_again_behind_the_maximum(update, unsigned, maximum):
    update.place(
        {"a.cap": unsigned.pack(), "b.cap": unsigned.pack()}, variables=[last_was(maximum - 1)]
    )

    outcome = update.by_command()

    assert outcome.results.keys() == {numbered(maximum), numbered(0)}
    assert outcome.report.name == numbered(0)


def test_an_old_result_is_replaced_when_its_number_comes_again(update, unsigned, maximum):
    old = Variable(numbered(0), CAPSULE_REPORT, PERSISTENT, 0, b"the first time")
    update.place({"a.cap": unsigned.pack()}, variables=[last_was(maximum), old])

    outcome = update.by_command()

    assert outcome.report.name == numbered(0)
    assert outcome.results[numbered(0)].status == SECURITY_VIOLATION


@pytest.mark.known_bug("capsule-max-missing")
def test_the_maximum_is_what_was_built_in(update, board, good, maximum):
    update.place({}, requested=False)

    said = variables.read(board.uboot, "CapsuleMax", CAPSULE_REPORT)

    assert said is not None
    assert said.data.decode("utf-16-le") == numbered(maximum)
    assert not said.attributes & NON_VOLATILE
    assert said.attributes & READ_ONLY


def test_a_refusal_is_reported_as_a_success_is(update, unsigned):
    update.place({"broken.cap": unsigned.pack()})

    report = update.by_command().report

    assert (report.last.attributes, len(report.last.data)) == (PERSISTENT | READ_ONLY, 22)
    assert report.variable.attributes == PERSISTENT
    assert len(report.variable.data) == report.result.total_size == CapsuleResult.size()
    assert report.result.status == SECURITY_VIOLATION


# several files in one boot


@mutates_flash
def test_bad_files_do_not_stop_a_good_one(update, good, unsigned, unknown, payload, flash):
    files = {"a.cap": unsigned, "b.cap": good, "c.cap": unknown}
    update.place({name: capsule.pack() for name, capsule in files.items()})

    outcome = update.by_command()

    statuses = sorted(result.status for result in outcome.results.values())
    assert statuses == [SUCCESS, UNSUPPORTED, SECURITY_VIOLATION]
    assert flash.region.startswith(payload.image)
    assert outcome.files == ()


def test_bad_files_alone_write_nothing(update, unsigned, unknown, flash):
    files = {"a.cap": unsigned, "b.cap": unsigned, "c.cap": unknown}
    update.place({name: capsule.pack() for name, capsule in files.items()})

    outcome = update.by_command()

    statuses = sorted(result.status for result in outcome.results.values())
    assert statuses == [UNSUPPORTED, SECURITY_VIOLATION, SECURITY_VIOLATION]
    assert flash.changes == []
    assert outcome.files == ()


@pytest.mark.known_bug("file-order")
def test_files_are_taken_in_the_order_of_the_alphabet(update, unsigned):
    """UEFI 2.10 section 8.5.5, without regard to case. Each file has a CapsuleGuid of its own,
    which is not supported, and its result tells it."""
    names = ["b.cap", "H.cap", "a.cap", "G.cap", "d.cap", "E.cap", "C.cap", "f.cap"]
    kinds = {name: Guid(name.encode().ljust(16)) for name in names}
    update.place({name: replace(unsigned, guid=kinds[name]).pack() for name in names})

    outcome = update.by_command()

    taken = [result.guid for result in outcome.results.values()]
    assert taken == [kinds[name] for name in sorted(names, key=str.lower)]
