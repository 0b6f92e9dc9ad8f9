"""Image-type GUIDs that U-Boot computes (lib/efi_loader/efi_firmware.c, efi_gen_capsule_guids).

The firmware's own word, ubtest's computation and the flash must agree. Before 2025.01 the same
images have constants, and what would be computed is refused like any other GUID.
"""

import hashlib
import uuid

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.fw_image import NAMESPACE, computed_guid
from ubtest.formats.guid import Guid
from ubtest.formats.status import SUCCESS, UNSUPPORTED
from ubtest.lab.board import FirmwareImage
from ubtest.uefi import capsules

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.needs("SANDBOX", "EFI_ESRT"),  # no other board here computes its GUIDs
]

mutates_flash = pytest.mark.mutates("flash")
COMPATIBLE, NAME = "sandbox", "SANDBOX-UBOOT"
IMAGE = b"for a computed GUID! " * 300


@pytest.fixture
def vendors(variant, firmware):
    """The build with a namespace of its own."""
    if firmware.config.get("EFI_CAPSULE_NAMESPACE_GUID") is None:
        pytest.skip("the firmware lacks CONFIG_EFI_CAPSULE_NAMESPACE_GUID")
    return variant("namespace")


@pytest.fixture(autouse=True, params=["default", pytest.param("namespace", marks=pytest.mark.slow)])
def namespace(request, board) -> Guid:
    """U-Boot's own, or a vendor's: another build."""
    if request.param == "default":
        return NAMESPACE
    board.machine.bundle = request.getfixturevalue("vendors")
    board.machine.renew({each.offset: b"old firmware, " * 1000 for each in images(board)})
    return Guid.of(board.machine.bundle.config.get("EFI_CAPSULE_NAMESPACE_GUID"))


def images(board) -> list[FirmwareImage]:
    """Both of the plain build's."""
    return [board.image, board.other_images["SANDBOX-UBOOT-ENV"]]


@pytest.fixture
def deliver(update, keyring):
    """Delivers a well signed capsule for an image type."""

    def deliver(image_type: Guid, index: int, **header: int):
        payload = signed(keyring["trusted"], FmpPayload(image_type, IMAGE, index, **header))
        update.place({"new.cap": Capsule((payload,)).pack()})
        return update.by_command()

    return deliver


def assert_refused(outcome, flash) -> None:
    assert outcome.status == UNSUPPORTED
    assert flash.changes == []
    assert outcome.files == ()


def test_the_firmware_says_the_same(board):
    listed = [each.image_type for each in capsules.resources(board.boot())]
    assert listed == [each.image_type for each in images(board)]


def test_the_device_tree_says_what_the_board_file_says(board):
    uboot = board.boot()
    uboot.check("fdt addr $fdtcontroladdr")
    uboot.check("fdt get value said / compatible")
    assert uboot.check("printenv said") == f"said={COMPATIBLE}"


@mutates_flash
@pytest.mark.parametrize("which", [0, 1])
def test_an_image_goes_to_its_own_place(which, board, deliver, flash):
    image = images(board)[which]

    outcome = deliver(image.image_type, image.index)

    assert outcome.status == SUCCESS
    assert flash.now[image.region] == IMAGE.ljust(image.size, b"\xff")
    for changed in flash.changes:
        assert image.offset <= changed.start < changed.stop <= image.offset + image.size


@mutates_flash
@pytest.mark.known_bug("no-versions")
@pytest.mark.parametrize("which", [0, 1])
def test_the_version_is_remembered_under_the_guid(which, board, deliver):
    image, other = images(board)[which], images(board)[1 - which]

    deliver(image.image_type, image.index, fw_version=7)

    state = capsules.fmp_state(board.uboot, image.image_type, image.index)
    assert state is not None
    assert state.fw_version == 7
    assert capsules.fmp_state(board.uboot, other.image_type, other.index) is None


@pytest.mark.parametrize("which", [0, 1])
def test_the_guid_of_the_one_with_the_index_of_the_other(which, board, deliver, flash):
    outcome = deliver(images(board)[which].image_type, images(board)[1 - which].index)

    assert_refused(outcome, flash)


def hashed(*parts: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha1(b"".join(parts)).digest()[:16], version=5)


def guid(said: uuid.UUID) -> Guid:
    return Guid(said.bytes_le)


UTF16 = NAME.encode("utf-16-le")
# What somebody who computes it by hand may get wrong
TWINS = {
    "another namespace": lambda space: computed_guid(
        Guid(bytes([space.wire[0] ^ 1]) + space.wire[1:]), COMPATIBLE, NAME
    ),
    "another compatible": lambda space: computed_guid(space, "sandbox64", NAME),
    "another name": lambda space: computed_guid(space, COMPATIBLE, "SANDBOX-UBOOT-2"),
    "the name in small letters": lambda space: computed_guid(space, COMPATIBLE, NAME.lower()),
    "the FIT's name": lambda space: computed_guid(space, COMPATIBLE, "SANDBOX-FIT"),
    "the namespace big-endian": lambda space: guid(
        hashed(uuid.UUID(str(space)).bytes, COMPATIBLE.encode(), UTF16)
    ),
    "the result big-endian": lambda space: Guid(
        hashed(space.wire, COMPATIBLE.encode(), UTF16).bytes
    ),
    "the name as UTF-16BE": lambda space: guid(
        hashed(space.wire, COMPATIBLE.encode(), NAME.encode("utf-16-be"))
    ),
    "the name as UTF-8": lambda space: guid(hashed(space.wire, COMPATIBLE.encode(), NAME.encode())),
    "a final zero": lambda space: guid(hashed(space.wire, COMPATIBLE.encode() + b"\0", UTF16)),
    "the name before the compatible": lambda space: guid(
        hashed(space.wire, UTF16, COMPATIBLE.encode())
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_guid_that_is_computed_otherwise(twin, namespace, board, deliver, flash):
    other = TWINS[twin](namespace)
    assert other not in [each.image_type for each in images(board)]

    outcome = deliver(other, board.image.index)

    assert_refused(outcome, flash)


@pytest.mark.slow
def test_the_guid_of_the_other_build(namespace, board, vendors, deliver, flash):
    """A vendor's own namespace keeps the capsules of others out."""
    foreign = vendors.config.get("EFI_CAPSULE_NAMESPACE_GUID")
    foreign = Guid.of(foreign) if namespace == NAMESPACE else NAMESPACE

    outcome = deliver(computed_guid(foreign, COMPATIBLE, NAME), board.image.index)

    assert_refused(outcome, flash)
