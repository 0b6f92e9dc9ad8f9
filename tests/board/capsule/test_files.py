"""Which files are taken: all in \\EFI\\UpdateCapsule, whatever they are called (UEFI 2.10 section
8.5.5)."""

import pytest

from ubtest.formats.fat import File
from ubtest.formats.fat_layout import ARCHIVE, HIDDEN, READ_ONLY, SYSTEM, VOLUME_LABEL
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # seconds a test, more than half a minute together
]

mutates_flash = pytest.mark.mutates("flash")


# names


NAMES = {
    "upper case": "GOOD.CAP",
    "mixed case": "Good.Cap",
    "no extension": "firmware",
    "another extension": "firmware.bin",
    "spaces": "my new firmware.cap",
    "dots": "v1.2..3.cap",
    "punctuation": "a,b;c=d+[e]${f}.cap",
    "percent signs": "50%25%s.cap",
    "tilde": "GOOD~1.CAP",
    "100 letters": "n" * 96 + ".cap",
    "255 letters": "n" * 251 + ".cap",
    "Cyrillic": "обновление.cap",
    "zero as its low byte": "fwĀ.cap",
    "umlauts": "für München.cap",
    "combined letters": "fu\u0308r.cap",
    "Japanese": "更新カプセル.cap",
    "emoji": "🚀.cap",
    "255 umlauts": "ü" * 251 + ".cap",
    "a first dot": ".good.cap",
    "two first dots": "..cap",
    "a first space": " good.cap",
}
BUGS = {
    "umlauts": "names-of-low-bytes",
    "Japanese": "names-of-low-bytes",
    "emoji": "names-of-low-bytes",
    "255 umlauts": "names-of-low-bytes",
    "a first dot": "first-dot-dropped",
    "two first dots": "first-dot-dropped",
    "a first space": "first-space-dropped",
}
names = [
    pytest.param(name, id=case, marks=pytest.mark.known_bug(BUGS[case]) if case in BUGS else ())
    for case, name in NAMES.items()
]


@mutates_flash
@pytest.mark.parametrize("name", names)
def test_a_file_is_taken_under_any_name(name: str, update, good, payload, flash):
    update.place({name: good.pack()})

    outcome = update.by_command()

    assert flash.region.startswith(payload.image)
    assert outcome.status == SUCCESS
    assert outcome.files == ()


@pytest.mark.parametrize("name", names)
def test_a_bad_file_is_refused_under_any_name(name: str, update, unsigned, flash):
    update.place({name: unsigned.pack()})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.status == SECURITY_VIOLATION
    assert outcome.files == ()


@mutates_flash
def test_names_with_the_same_low_bytes_are_two_files(update, good, unsigned, payload, flash):
    update.place({"a.cap": unsigned.pack(), "š.cap": good.pack()})

    outcome = update.by_command()

    statuses = sorted(result.status for result in outcome.results.values())
    assert statuses == [SUCCESS, SECURITY_VIOLATION]
    assert flash.region.startswith(payload.image)
    assert outcome.files == ()


# attributes


ATTRIBUTES = {
    "none": 0,
    "read-only": ARCHIVE | READ_ONLY,
    "hidden": ARCHIVE | HIDDEN,
    "system": ARCHIVE | SYSTEM,
    "all": ARCHIVE | READ_ONLY | HIDDEN | SYSTEM,
}


@mutates_flash
@pytest.mark.parametrize("case", ATTRIBUTES)
def test_a_file_is_taken_with_any_attributes(case: str, update, good, payload, flash):
    update.place({"good.cap": File(good.pack(), ATTRIBUTES[case])})

    outcome = update.by_command()

    assert flash.region.startswith(payload.image)
    assert outcome.status == SUCCESS
    assert outcome.files == ()


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_a_bad_file_is_refused_with_any_attributes(case: str, update, unsigned, flash):
    update.place({"broken.cap": File(unsigned.pack(), ATTRIBUTES[case])})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.status == SECURITY_VIOLATION
    assert outcome.files == ()


def test_a_volume_label_is_no_file(update, good, flash):
    update.place({"LABEL": File(good.pack(), VOLUME_LABEL)})

    outcome = update.by_command()

    assert flash.changes == []
    assert outcome.report is None
    assert not outcome.reset


# folders


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
    assert len(outcome.results) == 1
    assert outcome.files == ("folder/inner.cap",)


# sizes


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
    assert outcome.report.name > "Capsule0000"
    assert flash.region.startswith(payload.image)
    assert outcome.files == ()
