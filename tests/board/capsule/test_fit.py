"""Capsules that carry a FIT: each image in it goes where `dfu_alt_info` has its name.

U-Boot: lib/efi_loader/efi_firmware.c (efi_firmware_fit_set_image), common/update.c (fit_update).
"""

from dataclasses import replace

import pytest
from fit_places import OLD, PLACES, Place, assert_holds, assert_refused, flip

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fdt import cell
from ubtest.formats.fit import Fit, FitImage
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import Guid
from ubtest.formats.status import DEVICE_ERROR, SECURITY_VIOLATION, SUCCESS, UNSUPPORTED
from ubtest.uefi import capsules

pytestmark = [
    pytest.mark.needs("EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "flash-readback"),
    pytest.mark.slow,  # wants another build of the firmware
]

mutates_flash = pytest.mark.mutates("flash")


@pytest.fixture
def places(board, variant) -> tuple[Place, Place]:
    """The board runs its variant `fit`; both places have old content."""
    config = variant("fit").config
    found = next((p for symbol, p in PLACES.items() if config.enabled(symbol)), None)
    if found is None:
        pytest.skip("nobody says where dfu_alt_info leads on this board")
    board.machine.bundle = variant("fit")
    board.machine.renew({place.offset: OLD[: place.size] for place in found})
    return found


@pytest.fixture
def first(places) -> FitImage:
    return FitImage(places[0].name, b"new firmware! " * 600)


@pytest.fixture
def second(places) -> FitImage:
    return FitImage(places[1].name, b"and another. " * 500)


@pytest.fixture
def payload(board, places, first) -> FmpPayload:
    """An unsigned payload with a good FIT for the FMP of the variant."""
    fmp = board.other_images.get("SANDBOX-FIT", board.image)
    return FmpPayload(fmp.image_type, Fit((first,)).pack(), fmp.index)


@pytest.fixture
def deliver(update, keyring):
    """Delivers what a trusted key signs, on disk."""

    def deliver(payload: FmpPayload, signer: str = "trusted"):
        update.place({"fit.cap": Capsule((signed(keyring[signer], payload),)).pack()})
        return update.by_command()

    return deliver


# accepted


@mutates_flash
@pytest.mark.parametrize("signer", ["trusted", "rsa4096"])
def test_an_image_goes_where_its_name_leads(signer, places, payload, first, deliver, flash):
    """Signatures of two lengths: the FIT lies behind them, at an address of any alignment."""
    outcome = deliver(payload, signer)

    assert_holds(flash, {places[0]: first.data})
    assert outcome.status == SUCCESS
    assert outcome.files == ()
    assert not outcome.requested


@mutates_flash
def test_the_name_decides_and_not_the_order(places, payload, second, deliver, flash):
    outcome = deliver(replace(payload, image=Fit((second,)).pack()))

    assert_holds(flash, {places[1]: second.data})
    assert outcome.status == SUCCESS


@mutates_flash
@pytest.mark.parametrize("turned", [False, True])
def test_two_images_in_one(turned, places, payload, first, second, deliver, flash):
    images = (second, first) if turned else (first, second)

    outcome = deliver(replace(payload, image=Fit(images).pack()))

    assert_holds(flash, {places[0]: first.data, places[1]: second.data})
    assert outcome.status == SUCCESS


@mutates_flash
def test_at_boot(places, payload, first, update, keyring, flash):
    update.place({"fit.cap": Capsule((signed(keyring["trusted"], payload),)).pack()})

    outcome = update.at_boot()

    assert_holds(flash, {places[0]: first.data})
    assert outcome.files == ()


@mutates_flash
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", None])
def test_each_hash(algorithm, places, payload, first, deliver, flash):
    """None is good, too: the signature of the capsule covers the whole FIT."""
    fit = Fit((replace(first, algorithm=algorithm),))

    outcome = deliver(replace(payload, image=fit.pack()))

    assert_holds(flash, {places[0]: first.data})
    assert outcome.status == SUCCESS


@mutates_flash
@pytest.mark.known_bug("no-versions")
def test_the_version_is_remembered(places, payload, first, board, deliver, flash):
    deliver(replace(payload, fw_version=9))

    assert_holds(flash, {places[0]: first.data})
    state = capsules.fmp_state(board.uboot, payload.image_type, payload.index)
    assert state is not None
    assert state.fw_version == 9


# refused by the capsule's rules


UNTRUSTED = {
    "unsigned": lambda good, keys: good,
    "untrusted signer": lambda good, keys: signed(keys["untrusted"], good),
    "changed after signing": lambda good, keys: replace(
        signed(keys["trusted"], good), image=flip(good.image, b"new firmware! ")
    ),
}


@pytest.mark.parametrize("case", UNTRUSTED)
def test_nobody_trusted_signed_it(case, payload, update, keyring, flash):
    update.place({"fit.cap": Capsule((UNTRUSTED[case](payload, keyring),)).pack()})

    outcome = update.by_command()

    assert_refused(outcome, flash, SECURITY_VIOLATION)


@pytest.mark.parametrize("index", [0, 2, 255])
def test_another_image_index(index, payload, deliver, flash):
    """efi_fmp_find() knows image 1 only, so FMP's own check of it is never reached."""
    outcome = deliver(replace(payload, index=index))

    assert_refused(outcome, flash, UNSUPPORTED)


@pytest.mark.needs("SANDBOX")  # QEMU's FMPs for FIT and for raw images have one GUID
def test_the_guid_of_the_raw_image(board, payload, deliver, flash):
    assert payload.image_type != board.image.image_type

    outcome = deliver(replace(payload, image_type=board.image.image_type))

    assert_refused(outcome, flash, UNSUPPORTED)


def test_a_guid_of_nobody(payload, deliver, flash):
    outcome = deliver(replace(payload, image_type=Guid(b"\x5a" * 16)))

    assert_refused(outcome, flash, UNSUPPORTED)


# signed by a trusted key, and no FIT that can be used


UNUSABLE = {
    "a raw image": lambda first: b"new firmware! " * 600,
    "one byte": lambda first: b"\xd0",
    "a wrong magic": lambda first: b"\xd0\x0d\xfe\xee" + Fit((first,)).pack()[4:],
    "the first half": lambda first: half(Fit((first,)).pack()),
    "the header alone": lambda first: Fit((first,)).pack()[:40],
    "data that its hash does not fit": lambda first: flip(Fit((first,)).pack(), b"new firmware! "),
    "a hash of other data": lambda first: Fit((replace(first, digest=bytes(32)),)).pack(),
    "a hash that is too short": lambda first: Fit((replace(first, digest=b"\0"),)).pack(),
    "an image without a load address": lambda first: Fit((replace(first, load=None),)).pack(),
    "a name that dfu_alt_info lacks": lambda first: Fit((replace(first, name="none"),)).pack(),
    "a name in other letters": lambda first: Fit((replace(first, name=first.name.upper()),)).pack(),
}


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize("case", UNUSABLE)
def test_no_fit_that_can_be_used(case, payload, first, deliver, flash):
    outcome = deliver(replace(payload, image=UNUSABLE[case](first)))

    assert_refused(outcome, flash, DEVICE_ERROR)


@pytest.mark.needs("SYS_FLASH_CFI")  # a region of the sandbox has no end
@mutates_flash
def test_more_than_the_place_holds(places, payload, first, deliver, flash):
    """The place is lost, as it is when power fails, and nothing behind it."""
    large = b"too large " * (places[0].size // 10 + 1)

    outcome = deliver(replace(payload, image=Fit((replace(first, data=large),)).pack()))

    assert outcome.status == DEVICE_ERROR
    assert [changed for changed in flash.changes if not places[0].holds(changed)] == []


@pytest.mark.known_bug("fit-nothing-is-success")
@pytest.mark.parametrize("case", ["no image", "an image of another type"])
def test_nothing_to_write_is_no_success(case, payload, first, deliver, flash):
    images = () if case == "no image" else (replace(first, kind="kernel"),)

    outcome = deliver(replace(payload, image=Fit(images).pack()))

    assert flash.changes == []
    assert outcome.files == ()
    assert outcome.status != SUCCESS


@pytest.fixture(params=["the first", "the second"])
def half_bad(request, payload, first, second) -> FmpPayload:
    """Two images, and the hash of one of them is wrong."""
    if request.param == "the first":
        images = (replace(first, digest=bytes(32)), second)
    else:
        images = (first, replace(second, digest=bytes(32)))
    return replace(payload, image=Fit(images).pack())


@mutates_flash
@pytest.mark.parametrize(
    "half_bad",
    [
        pytest.param("the first", marks=pytest.mark.known_bug("fit-error-forgotten")),
        "the second",
    ],
    indirect=True,
)
def test_one_bad_image_is_an_error(half_bad, deliver):
    assert deliver(half_bad).status == DEVICE_ERROR


@mutates_flash
@pytest.mark.known_bug("fit-half-written")
def test_one_bad_image_spoils_the_other(half_bad, deliver, flash):
    """A hash that is wrong can be known before the first byte is written."""
    deliver(half_bad)

    assert flash.changes == []


@mutates_flash
@pytest.mark.known_bug("fit-size-ignored")
def test_the_fit_says_that_it_is_larger_than_the_payload(payload, first, deliver, flash):
    """What is missing could be anything: here it is padding, and a check would not know."""
    fit = Fit((first,)).pack()
    larger = fit[:4] + cell(len(fit) + 4096) + fit[8:]  # totalsize

    outcome = deliver(replace(payload, image=larger))

    assert outcome.status == DEVICE_ERROR
    assert flash.changes == []
