"""Which files are taken and what is reported of each (UEFI 2.10 sections 8.5.5 and 8.5.6)."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule, CapsuleResult
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.gpt import SECTOR
from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE, Guid
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS, UNSUPPORTED
from ubtest.formats.varstore import NON_VOLATILE, Variable, pack_variables
from ubtest.media.disk import MINIMUM, esp, room
from ubtest.uefi import capsules, variables
from ubtest.uefi.bootmgr import boot_entry, boot_order
from ubtest.uefi.on_disk import esp_files
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


# what counts as a file


NAMES = {
    "upper case": "GOOD.CAP",
    "mixed case": "Good.Cap",
    "no extension": "firmware",
    "another extension": "firmware.bin",
    "a space": "my firmware.cap",
    "two dots": "v1.2.cap",
    "tilde": "GOOD~1.CAP",
    "100 characters": "n" * 96 + ".cap",
    "255 characters": "n" * 251 + ".cap",
}


@mutates_flash
@pytest.mark.parametrize("case", NAMES)
def test_a_file_is_taken_under_any_name(case: str, update, good, payload, flash):
    update.place({NAMES[case]: good.pack()})

    outcome = update.by_command()

    assert flash.region.startswith(payload.image)
    assert outcome.status == SUCCESS
    assert outcome.files == ()


@mutates_flash
def test_folders_are_found_in_any_case(update, good, payload, flash):
    update.place({}, extra={"efi/updatecapsule/good.cap": good.pack()})

    update.by_command()

    assert flash.region.startswith(payload.image)
    assert [name for name in update.disk.listing() if name.endswith(".cap")] == []


@pytest.mark.parametrize("place", ["EFI/UpdateCapsule/folder", "EFI", "EFI/UpdateCapsules"])
def test_other_folders_are_left_alone(place: str, update, good, flash):
    update.place({}, extra={f"{place}/good.cap": good.pack()})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.report is None
    assert f"{place}/good.cap" in update.disk.listing()


@mutates_flash
def test_a_folder_beside_a_file_is_left_alone(update, good, unsigned, payload, flash):
    update.place({"folder/inner.cap": unsigned.pack(), "good.cap": good.pack()})

    outcome = update.by_command()

    assert flash.region.startswith(payload.image)
    assert outcome.results.keys() == {numbered(0)}
    assert outcome.files == ("folder/inner.cap",)


@pytest.mark.parametrize("size", [0, 10, 27])
def test_a_file_without_a_whole_header_has_no_result(size: int, update, good, flash):
    update.place({"short.cap": good.pack()[:size]})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.report is None
    assert outcome.files == ()
    assert outcome.reset


@mutates_flash
def test_a_file_without_a_result_uses_a_number(update, good, payload, flash):
    """Many short ones, because U-Boot's order is one of chance: one comes before the good file."""
    short = {f"{letter}.cap": good.pack()[:10] for letter in "abcdef"}
    update.place({**short, "good.cap": good.pack()})

    outcome = update.by_command()

    assert len(outcome.results) == 1
    assert outcome.report.name > numbered(0)
    assert flash.region.startswith(payload.image)
    assert outcome.files == ()


# a disk without room for results


def filling_clusters(store: Iterable[Variable]) -> list[Variable]:
    """The variables with one more: their file ends with a cluster, so that it can only grow into
    another one. A disk of the smallest size has a sector for a cluster."""
    store = [*store, Variable("Filling", GLOBAL_VARIABLE, PERSISTENT, 0, b"")]
    missing = -len(pack_variables(store)) % SECTOR or SECTOR
    return [*store[:-1], replace(store[-1], data=bytes(missing))]


@pytest.fixture
def place_full(update):
    """Boots from a disk on which no cluster is free; gives the variables in its store.

    They come from a boot with room, so that results are all that has to be stored anew.
    """

    def place_full(capsule: Capsule) -> list[Variable]:
        update.place({}, size=MINIMUM)
        store = filling_clusters(update.by_command().stored.values())
        files = {"the.cap": capsule.pack()}
        filler = bytes(room(esp_files(files, variables=store), size=MINIMUM))
        update.place(
            files, boot_device=False, variables=store, extra={"filler": filler}, size=MINIMUM
        )
        return store

    return place_full


@mutates_flash
def test_on_a_full_disk_a_good_capsule_is_written(place_full, board, update, good, payload, flash):
    place_full(good)

    assert capsules.update_now(board.uboot)

    assert flash.region.startswith(payload.image)
    assert flash.changes_outside == []
    assert "EFI/UpdateCapsule/the.cap" not in update.disk.listing()


def test_on_a_full_disk_a_bad_capsule_is_refused(place_full, board, update, unsigned, flash):
    place_full(unsigned)

    assert capsules.update_now(board.uboot)

    assert flash.changes == []
    assert "EFI/UpdateCapsule/the.cap" not in update.disk.listing()


@pytest.mark.known_bug("full-disk-loses-variables")
def test_on_a_full_disk_the_variables_stay(place_full, update, unsigned):
    """UEFI 2.10 section 8.2: a variable without room is EFI_OUT_OF_RESOURCES; the others stay."""
    store = place_full(unsigned)

    outcome = update.by_command()

    assert {variable.name for variable in store} <= outcome.stored.keys()


# a disk that cannot be written


def request() -> Variable:
    """OsIndications as an operating system leaves it before the reset."""
    value = capsules.FILE_CAPSULE_DELIVERY.to_bytes(8, "little")
    return Variable("OsIndications", GLOBAL_VARIABLE, PERSISTENT, 0, value)


@pytest.fixture
def place_read_only(update):
    """Boots from a disk that refuses writes; the request is in its variable store."""

    def place_read_only(capsule: Capsule) -> str:
        update.place(
            {"the.cap": capsule.pack()},
            boot_device=False,
            requested=False,
            variables=[boot_entry(1, esp()), boot_order(1), request()],
            read_only=True,
        )
        return update.disk.sha256()

    return place_read_only


@mutates_flash
@pytest.mark.needs("TARGET_QEMU_ARM_64BIT")
def test_a_read_only_disk_is_updated_from_at_every_boot(
    place_read_only, board, update, good, payload, flash
):
    """Neither the request nor the file can be taken back: that is for whoever wrote them."""
    before = place_read_only(good)

    for _ in range(2):
        assert capsules.start_efi(board.uboot)
        assert flash.region.startswith(payload.image)
        assert flash.changes_outside == []
        update.find_disk()
    assert update.disk.sha256() == before


@pytest.mark.needs("TARGET_QEMU_ARM_64BIT")
def test_a_bad_capsule_on_a_read_only_disk_is_refused(
    place_read_only, board, update, unsigned, flash
):
    before = place_read_only(unsigned)

    assert capsules.start_efi(board.uboot)

    assert flash.changes == []
    assert update.disk.sha256() == before
