"""Versions: what a capsule says of its image, what the firmware remembers, what it refuses.

The MSS1 header in front of an image holds its version. U-Boot compares it with the
lowest-supported-version of its device tree alone (lib/efi_loader/efi_firmware.c,
efi_firmware_verify_image): an update to an older version is no rollback above that.
"""

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.esrt import Resource
from ubtest.formats.fmp import FmpPayload, FmpState
from ubtest.formats.status import INVALID_PARAMETER, SUCCESS
from ubtest.formats.varstore import Variable
from ubtest.uefi import capsules, variables
from ubtest.uefi.variables import PERSISTENT, READ_ONLY

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # seconds a test, more than half a minute together
]

mutates_flash = pytest.mark.mutates("flash")
has_versions = pytest.mark.known_bug("no-versions")
own_tree = pytest.mark.needs("TARGET_QEMU_ARM_64BIT")  # a device tree that the test may add to

IMAGE = b"versioned firmware! " * 200
NEWEST = 0xFFFFFFFF


@pytest.fixture
def versioned(board, keyring):
    """Makes a good capsule whose image has this version; None leaves the header away."""

    def versioned(version: int | None, **header: int) -> bytes:
        payload = FmpPayload(board.image.image_type, IMAGE, fw_version=version, **header)
        return Capsule((signed(keyring["trusted"], payload),)).pack()

    return versioned


@pytest.fixture
def remembered(board):
    """Makes the variable that an update to this version left."""

    def remembered(version: int) -> Variable:
        name = f"FmpState{board.image.index:04X}"
        attributes = PERSISTENT | READ_ONLY
        return Variable(name, board.image.image_type, attributes, 0, only(version).pack())

    return remembered


@pytest.fixture
def lowest(board):
    """Puts a lowest supported version into the device tree."""

    def lowest(version: int, *, kind: str | None = None, index: int | None = None) -> None:
        board.machine.dtb_properties = {
            "/firmware-version/image1": {
                "image-type-id": kind or str(board.image.image_type),
                "image-index": index or board.image.index,
                "lowest-supported-version": version,
            }
        }

    return lowest


def resource(board) -> Resource:
    """The image in the ESRT."""
    (found,) = (
        each
        for each in capsules.resources(board.uboot)
        if each.image_type == board.image.image_type
    )
    return found


def state(board) -> FmpState | None:
    """What the firmware remembers."""
    return capsules.fmp_state(board.uboot, board.image.image_type, board.image.index)


def only(version: int) -> FmpState:
    """A state as U-Boot writes it: the rest is not used."""
    return FmpState(version, 0, 0, 0)


def assert_is(version: int, board) -> None:
    """It is remembered, and told in the ESRT."""
    assert state(board) == only(version)
    assert resource(board).version == version


def assert_written(outcome, flash) -> None:
    """The image is there without its version header."""
    assert outcome.status == SUCCESS
    assert flash.region[: len(IMAGE)] == IMAGE
    assert flash.region[len(IMAGE)] == 0xFF
    assert flash.changes_outside == []


def assert_refused(outcome, flash) -> None:
    assert outcome.status == INVALID_PARAMETER
    assert flash.changes == []
    assert outcome.files == ()


# what is remembered


@mutates_flash
@pytest.mark.parametrize("version", [None, 0, 1, NEWEST])
def test_the_header_is_not_written(version, update, versioned, flash):
    update.place({"new.cap": versioned(version)})

    outcome = update.by_command()

    assert_written(outcome, flash)


@mutates_flash
@has_versions
@pytest.mark.needs("EFI_ESRT")
@pytest.mark.parametrize("version", [1, 0x7FFFFFFF, NEWEST])
def test_the_version_is_remembered_and_told(version, update, versioned, board):
    """UEFI 2.10 section 23.4: the ESRT says what the FMP says."""
    update.place({"new.cap": versioned(version)})

    update.by_command()

    assert_is(version, board)


@mutates_flash
@has_versions
def test_the_version_cannot_be_changed_by_others(update, versioned, board):
    update.place({"new.cap": versioned(5)})
    update.by_command()
    name, kind = f"FmpState{board.image.index:04X}", board.image.image_type
    kept = variables.read(board.uboot, name, kind)
    assert kept is not None
    assert kept.attributes == PERSISTENT | READ_ONLY

    reply = board.uboot.command(f"setenv -e -guid {kind} -nv -bs -rt {name} =H{bytes(16).hex()}")

    assert reply.status != 0
    assert variables.read(board.uboot, name, kind) == kept


@mutates_flash
@has_versions
@pytest.mark.needs("EFI_ESRT")
def test_the_version_survives_resets(update, versioned, board):
    update.place({"new.cap": versioned(5)})
    update.by_command()

    update.at_boot()
    outcome = update.at_boot()

    assert not outcome.reset  # there was nothing to do
    assert_is(5, board)


@pytest.mark.needs("EFI_ESRT")
def test_before_any_update_the_version_is_zero(update, board):
    update.place({}, requested=False)

    assert state(board) is None
    assert resource(board) == Resource(board.image.image_type, 0, 0)


# without a lowest version everything is taken


@mutates_flash
@has_versions
@pytest.mark.needs("EFI_ESRT")
@pytest.mark.parametrize(("version", "then"), [(4, 4), (5, 5), (6, 6), (0, 0), (None, 0)])
def test_any_version_may_follow(version, then, update, versioned, remembered, board, flash):
    """Lower, equal, higher, none. First the remembered 5 is told, so that a change shows."""
    update.place({"new.cap": versioned(version)}, variables=[remembered(5)])
    assert resource(board).version == 5

    outcome = update.by_command()

    assert_written(outcome, flash)
    assert_is(then, board)


@has_versions
@pytest.mark.needs("EFI_ESRT")
def test_a_refused_capsule_changes_no_version(update, keyring, board, remembered, flash):
    payload = FmpPayload(board.image.image_type, IMAGE, fw_version=6)
    update.place(
        {"new.cap": Capsule((signed(keyring["untrusted"], payload),)).pack()},
        variables=[remembered(5)],
    )

    update.by_command()

    assert flash.changes == []
    assert_is(5, board)


# the lowest version in the device tree


@own_tree
@mutates_flash
@pytest.mark.parametrize("version", [5, 6, NEWEST])
def test_not_below_the_lowest(version, update, versioned, lowest, flash):
    lowest(5)
    update.place({"new.cap": versioned(version)})

    outcome = update.by_command()

    assert_written(outcome, flash)


@own_tree
@has_versions
@pytest.mark.parametrize("version", [4, 0, None])
def test_below_the_lowest(version, update, versioned, lowest, flash):
    """Without a header the version is 0."""
    lowest(5)
    update.place({"old.cap": versioned(version)})

    outcome = update.by_command()

    assert_refused(outcome, flash)


@own_tree
@has_versions
def test_below_the_lowest_at_boot(update, versioned, lowest, remembered, board, flash):
    lowest(5)
    update.place({"old.cap": versioned(4)}, variables=[remembered(6)])

    outcome = update.at_boot()

    assert_refused(outcome, flash)
    assert state(board) == only(6)


@own_tree
@has_versions
@pytest.mark.parametrize(("version", "limit"), [(0x7FFFFFFF, 0x80000000), (NEWEST - 1, NEWEST)])
def test_versions_have_no_sign(version, limit, update, versioned, lowest, flash):
    lowest(limit)
    update.place({"old.cap": versioned(version)})

    outcome = update.by_command()

    assert_refused(outcome, flash)


@own_tree
@mutates_flash
@pytest.mark.parametrize(
    "whose", [{"index": 2}, {"kind": "c4b2c1c3-8a0e-4b1d-9f0b-2f0a5f3e7d11"}], ids=["index", "kind"]
)
def test_the_lowest_of_another_image_does_not_count(whose, update, versioned, lowest, flash):
    lowest(5, **whose)
    update.place({"new.cap": versioned(4)})

    outcome = update.by_command()

    assert_written(outcome, flash)


@own_tree
@has_versions
@pytest.mark.needs("EFI_ESRT")
def test_the_lowest_is_told(update, lowest, board):
    lowest(5)
    update.place({}, requested=False)

    assert resource(board) == Resource(board.image.image_type, 0, 5)


@mutates_flash
@pytest.mark.needs("EFI_ESRT")
def test_the_lowest_of_a_capsule_is_ignored(update, versioned, board, flash):
    """It would be a limit for the next update; U-Boot trusts its device tree alone."""
    update.place({"new.cap": versioned(5, lowest_supported_version=9)})

    outcome = update.by_command()

    assert_written(outcome, flash)
    assert resource(board).lowest_supported_version == 0
