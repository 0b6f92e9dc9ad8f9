"""Signed EFI images, judged by sbverify."""

import pytest

from ubtest.crypto.authenticode import image_digest, signed_image
from ubtest.formats.record import FormatError
from ubtest.probe.build import probe
from ubtest.run import run


def accepted(image: bytes, key, folder) -> bool:
    path = folder / "image.efi"
    path.write_bytes(image)
    return run(["sbverify", "--cert", key.certificate_path, path], check=False).returncode == 0


@pytest.mark.parametrize("arch", ["aa64", "x64"])  # sbsign knows no 32-bit ARM
def test_sbverify_accepts_the_signers_certificate_only(arch, ring, tmp_path):
    image = signed_image(ring["trusted"], probe(arch))
    assert accepted(image, ring["trusted"], tmp_path)
    assert not accepted(image, ring["untrusted"], tmp_path)


def test_sbverify_refuses_a_changed_image(ring, tmp_path):
    image = bytearray(signed_image(ring["trusted"], probe()))
    image[0x400] ^= 1
    assert not accepted(bytes(image), ring["trusted"], tmp_path)


@pytest.mark.parametrize("arch", ["aa64", "x64"])  # sbsign knows no 32-bit ARM
def test_the_digest_is_the_one_in_the_signature(arch, ring):
    image = probe(arch)
    signed = signed_image(ring["trusted"], image)
    assert image_digest(image) in signed[len(image) :]
    assert image_digest(signed) == image_digest(image)


def test_the_digest_of_another_image_is_another(ring):
    image = bytearray(probe())
    image[-1] ^= 1
    assert image_digest(bytes(image)) != image_digest(probe())


def test_what_is_no_image_has_no_digest():
    with pytest.raises(FormatError, match="MZ"):
        image_digest(b"no image")
