"""UpdateImageTypeId: constants and computed ones."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.fw_image import NAMESPACE, ImageIdentity, computed_guid
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

CONSTANT = Guid.of("09d7cf52-0720-4710-91d1-08469b7fe9c8")
COMPUTED = Guid.of("985f2937-7c2e-5e9a-8a5e-8e063312964b")
TEXT = st.text(st.characters(codec="utf-8"))
GUIDS = st.binary(min_size=16, max_size=16).map(Guid)


@pytest.mark.parametrize(
    ("namespace", "fw_name", "guid"),
    [  # the first three as in U-Boot's include/sandbox_efi_capsule.h
        (NAMESPACE, "SANDBOX-UBOOT", COMPUTED),
        (NAMESPACE, "SANDBOX-UBOOT-ENV", Guid.of("9e339473-c2eb-530a-a69b-0cd6bbbed40e")),
        (NAMESPACE, "SANDBOX-FIT", Guid.of("46610520-469e-59dc-a8dd-c11832b877ea")),
        (
            Guid.of("1d64ee27-4a8f-4b2c-9f7e-6c4dd2a1b5f3"),
            "SANDBOX-UBOOT",
            Guid.of("df075455-ba4a-5f2c-a409-b36552dfa833"),
        ),
    ],
)
def test_known_pairs(namespace: Guid, fw_name: str, guid: Guid) -> None:
    assert computed_guid(namespace, "sandbox", fw_name) == guid


@given(GUIDS, TEXT, TEXT)
def test_it_is_a_uuid_of_version_5(namespace: Guid, compatible: str, fw_name: str) -> None:
    made = uuid.UUID(str(computed_guid(namespace, compatible, fw_name)))
    assert (made.version, made.variant) == (5, uuid.RFC_4122)


@given(GUIDS, TEXT)
def test_python_agrees_but_for_the_namespace_order(namespace: Guid, compatible: str) -> None:
    """Python's uuid5 hashes the namespace big-endian and the name as UTF-8."""
    swapped = uuid.UUID(bytes=namespace.wire)
    assert str(computed_guid(namespace, compatible, "")) == str(uuid.uuid5(swapped, compatible))


@given(GUIDS, GUIDS, TEXT, TEXT)
def test_each_input_counts(one: Guid, other: Guid, compatible: str, fw_name: str) -> None:
    made = computed_guid(one, compatible, fw_name)
    assert (made == computed_guid(other, compatible, fw_name)) == (one == other)
    assert made != computed_guid(one, compatible + "x", fw_name)
    assert made != computed_guid(one, compatible, fw_name + "x")


def test_the_firmware_decides_which_one_holds() -> None:
    both = ImageIdentity(CONSTANT, "SANDBOX-UBOOT", "sandbox")
    assert both.guid(NAMESPACE) == COMPUTED
    assert both.guid(None) == CONSTANT
    assert ImageIdentity(CONSTANT).guid(NAMESPACE) == CONSTANT
    with pytest.raises(FormatError, match="nothing computes it"):
        ImageIdentity(None, "SANDBOX-UBOOT", "sandbox").guid(None)


@pytest.mark.parametrize(
    "said", [{}, {"fw-name": "X"}, {"image-type": str(CONSTANT), "compatible": "x"}]
)
def test_half_an_identity_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(FormatError, match="is missing"):
        ImageIdentity.read(said)


def test_what_a_board_file_says() -> None:
    said = {"image-type": str(CONSTANT), "fw-name": "N", "compatible": "c", "index": 1}
    assert ImageIdentity.read(said) == ImageIdentity(CONSTANT, "N", "c")
    assert ImageIdentity.read({"fw-name": "N", "compatible": "c"}).constant is None
