"""`ubtest preflight` is right: what it finds keeps the firmware from the capsule, and what it says
to type mends that.

Each row is a disk image with one thing wrong. Preflight looks at it on a board of its own, which
gets a copy, and names that one thing; the board of the test does not take the capsule; then the
commands that preflight printed are typed, and preflight and the firmware both agree that it is
well.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from preflight_desk import (
    IMAGE,
    NAME,
    NOT_TOLD,
    OTHER_TYPE,
    REQUEST,
    ROUNDS,
    Desk,
    Wrong,
    named,
    request,
)
from preflight_wrongs import WRONGS

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.gpt import Gpt, GptPartition
from ubtest.formats.guid import ESP_TYPE, GLOBAL_VARIABLE, Guid
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.status import DEVICE_ERROR
from ubtest.formats.varstore import Variable
from ubtest.media.disk import esp
from ubtest.media.fat import FatVolume
from ubtest.plugin.known_bugs import known_bug
from ubtest.preflight.finding import Report, Severity
from ubtest.run import run
from ubtest.uefi.bootmgr import boot_entry, boot_next, boot_order
from ubtest.uefi.on_disk import Outcome, esp_files
from ubtest.uefi.variables import PERSISTENT

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.mutates("flash"),  # each ends with an update that is taken
]
own_request = pytest.mark.needs("!EFI_IGNORE_OSINDICATIONS")
on_qemu = pytest.mark.needs("TARGET_QEMU_ARM_64BIT")


@pytest.fixture
def payload(board, keyring):
    return signed(keyring["trusted"], FmpPayload(board.image.image_type, IMAGE))


@pytest.fixture
def desk(request, board, keyring, tmp_path):
    desk = Desk(request, board, keyring, tmp_path)
    yield desk
    desk.power_off()


def assert_taken(desk: Desk, flash, outcome: Outcome) -> None:
    assert flash.region.startswith(IMAGE)
    assert flash.changes_outside == []
    assert outcome.reset
    assert [name for name in outcome.files if "/" not in name] == []


def assert_found_and_mended(desk: Desk, wrong: Wrong, flash) -> None:
    report = desk.preflight()

    assert named(report) == [wrong.check], report.verdict
    assert wrong.says in report.problems[0].what
    assert report.exit_code == 1
    kept = desk.image.read_bytes()

    desk.start()

    assert flash.changes == []  # the firmware did not take it
    desk.power_off()
    desk.image.write_bytes(kept)

    mend_until_well(desk, report)

    assert_taken(desk, flash, desk.update())


def mend_until_well(desk: Desk, report: Report) -> None:
    """Type what preflight says until it finds nothing: a new partition table, for one, has no
    variables on it that lead there."""
    for _ in range(ROUNDS):
        desk.mend(report.problems[0].fix)
        report = desk.preflight()
        if not report.problems:
            break
    assert_well(report)


def assert_well(report: Report) -> None:
    assert named(report) == []
    assert {each.check for each in report.of(Severity.UNKNOWN)} <= NOT_TOLD


SHORT = ("no request", "another key")
ROWS = [
    pytest.param(wrong, id=name, marks=() if name in SHORT else pytest.mark.slow)
    for name, wrong in WRONGS.items()
]


def test_nothing_is_wrong(desk, good, payload, flash):
    desk.make(Wrong("", ""), good, payload)

    report = desk.preflight()

    assert_well(report)
    assert report.of(Severity.NOTE) == ()
    assert_taken(desk, flash, desk.update())


@own_request
@pytest.mark.parametrize("wrong", ROWS)
def test_one_thing_is_wrong(desk, wrong, good, payload, flash):
    desk.make(wrong, good, payload)
    assert_found_and_mended(desk, wrong, flash)


def two_systems(image: Path, files: dict[str, bytes]) -> tuple[GptPartition, GptPartition]:
    """A disk with two ESPs, of which the second is empty."""
    sectors, middle = (64 << 20) // 512, (32 << 20) // 512
    first = replace(esp(), last_lba=middle - 1)
    second = replace(
        esp("other"),
        first_lba=middle,
        last_lba=sectors - 2048 - 1,
        name="other",
        type_guid=ESP_TYPE,
    )
    image.write_bytes(b"")
    with image.open("r+b") as file:
        file.truncate(64 << 20)
        for at, piece in Gpt(Guid.of(str(OTHER_TYPE)), (first, second), sectors).pack():
            file.seek(at)
            file.write(piece)
    for partition, content in ((first, files), (second, {})):
        size = partition.last_lba - partition.first_lba + 1
        volume = FatVolume(image, partition.first_lba * 512)
        volume.build(content, size, label="ESP", serial=partition.first_lba)
    return first, second


def second_option(partition: GptPartition) -> Variable:
    drive = HardDrive(
        2,
        partition.first_lba,
        partition.last_lba - partition.first_lba + 1,
        partition.unique_guid,
    )
    path = hard_drive(drive) + file_path("\\none.efi") + END
    data = LoadOption("other", path).pack()
    return Variable("Boot0002", GLOBAL_VARIABLE, PERSISTENT, 0, data)


@own_request
@pytest.mark.slow
@pytest.mark.parametrize("variable", ["BootNext", "BootOrder"])
def test_another_system_partition(desk, good, payload, flash, variable):
    """The first option on any ESP decides, although the capsule lies on another one."""
    (desk.folder / "good.cap").write_bytes(good.pack())
    first, second = two_systems(desk.image, {})
    orders = {"BootNext": [boot_order(1), boot_next(2)], "BootOrder": [boot_order(2, 1)]}
    stored = (boot_entry(1, first), second_option(second), *orders[variable], request())
    two_systems(desk.image, esp_files({NAME: good.pack()}, variables=stored))

    wrong = Wrong(
        "boot device", f"{variable}: Boot0002 leads to {desk.board.storage.partition[:-1]}2"
    )
    assert_found_and_mended(desk, wrong, flash)


@own_request
@pytest.mark.slow
def test_an_entry_that_the_firmware_made(desk, good, payload, flash):
    """It leads to the whole disk (known bug own-entry-ignored); 2023.01 makes none."""
    if not known_bug("own-entry-ignored").affects(desk.board_run.firmware.version):
        pytest.skip("in this version an entry of its own leads to the ESP")
    desk.make(Wrong("", "", stored=()), good, payload)
    desk.mend(["=> efidebug tables", f"=> {REQUEST}"])

    assert_found_and_mended(desk, Wrong("boot device", "no boot option leads to"), flash)


@own_request
@on_qemu
@pytest.mark.slow
@pytest.mark.known_bug("no-versions")
def test_below_the_lowest_version(desk, board, good, payload, flash, keyring):
    node = {
        "image-type-id": str(board.image.image_type),
        "image-index": board.image.index,
        "lowest-supported-version": 5,
    }

    def prepare(some_board):
        some_board.machine.dtb_properties = {"/firmware-version/image1": node}

    desk.prepare = prepare
    old = signed(keyring["trusted"], FmpPayload(board.image.image_type, IMAGE, fw_version=4))
    capsule = Capsule((old,))
    wrong = Wrong("version", "FwVersion is 4", files=lambda *_: {NAME: capsule.pack()})
    new = signed(keyring["trusted"], FmpPayload(board.image.image_type, IMAGE, fw_version=5))
    desk.make(wrong, Capsule((new,)), payload)

    assert_found_and_mended(desk, wrong, flash)


@own_request
@on_qemu
@pytest.mark.slow
def test_too_large_for_its_place(desk, board, good, flash, keyring):
    large = FmpPayload(board.image.image_type, bytes(board.image.size + 1))
    capsule = Capsule((signed(keyring["trusted"], large),))
    wrong = Wrong("flash", f"{board.image.size + 1} bytes", files=lambda *_: {NAME: capsule.pack()})
    desk.make(wrong, good, large)

    report = desk.preflight()

    assert named(report) == ["flash"]
    assert wrong.says in report.problems[0].what
    outcome = desk.update()
    if not known_bug("boot-time-results-lost").affects(desk.board_run.firmware.version):
        assert outcome.status == DEVICE_ERROR
    assert flash.changes_outside == []  # the last byte has found no place
    desk.power_off()
    desk.make(wrong, good, large)
    mend_until_well(desk, report)
    assert_taken(desk, flash, desk.update())


@pytest.mark.slow
def test_the_command(desk, good, payload, flash):
    """What a user types: lines and exit code, and JSON for programs."""
    desk.make(Wrong("", "", files=lambda *_: {}), good, payload)
    run_of = desk.board_run
    program = Path(sys.executable).parent / "ubtest"
    options = ["--lg-env", run_of.env_file.resolve(), "--firmware", run_of.firmware.path]
    options += ["--disk", desk.image, "--capsule", desk.folder / "good.cap"]

    said = run([program, "preflight", *options], cwd=desk.folder, check=False)
    as_json = run([program, "preflight", *options, "--json"], cwd=desk.folder, check=False)

    assert (said.returncode, as_json.returncode) == (1, 1)
    assert said.text.splitlines()[-1].startswith("would not be taken: there is no \\EFI")
    findings = json.loads(as_json.text)["findings"]
    (found,) = (each for each in findings if each["severity"] == "problem")
    assert found["check"] == "capsule in place"
    assert flash.changes == []
    desk.mend(found["fix"])
    assert_taken(desk, flash, desk.update())
