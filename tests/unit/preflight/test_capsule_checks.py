"""Checks of the capsule and of its place on the disk."""

import struct
from dataclasses import replace

import pytest
from judged import only, problems, stored, unknown
from recorded import (
    CONFIG,
    STORED,
    TYPE,
    capsule,
    good,
    volume,
)

from ubtest.firmware.config import Kconfig
from ubtest.formats.capsule import Capsule
from ubtest.formats.esrt import Resource
from ubtest.formats.guid import CAPSULE_REPORT, Guid
from ubtest.formats.varstore import Variable
from ubtest.preflight.checks import judge
from ubtest.preflight.facts import CapsuleFile, Unread
from ubtest.preflight.finding import Severity
from ubtest.uefi.storage import Folder


def test_no_folder(facts):
    empty = replace(facts.volumes[0], capsules=None, files=())
    finding = only(replace(facts, volumes=(empty,)), "capsule in place")
    assert finding.fix == (
        "$ mmd -i esp.img@@1048576 ::/EFI/UpdateCapsule",
        "$ mcopy -i esp.img@@1048576 FILE.cap ::/EFI/UpdateCapsule/",
    )


def test_a_folder_in_the_folder(facts):
    only_folder = replace(facts.volumes[0], capsules=Folder({}, ("vendor",)), files=())
    finding = only(replace(facts, volumes=(only_folder,)), "capsule in place")
    assert "vendor" in finding.what


def test_without_an_image_the_fix_is_for_a_mounted_esp(facts):
    empty = replace(facts.volumes[0], capsules=None, files=())
    finding = only(replace(facts, volumes=(empty,), disk=None), "capsule in place")
    assert finding.fix[1] == "$ cp FILE.cap /boot/efi/EFI/UpdateCapsule/"


def damaged(ring):
    other = Guid.of("11111111-2222-4333-8444-555555555555")
    data = capsule(ring["trusted"])
    yield "capsule file", "0 bytes", b""
    yield "capsule file", "CapsuleImageSize", data[:-1]
    yield "capsule file", "CapsuleGuid", bytes(16) + data[16:]
    yield "capsule file", "no payload", Capsule((), trailing=bytes(64)).pack()
    yield "image", "UpdateImageTypeId", capsule(ring["trusted"], image_type=other)
    yield "image", "UpdateImageIndex", capsule(ring["trusted"], index=2)
    yield "signature", "leads to none", capsule(ring["untrusted"])
    yield "signature", "what was signed", data[:-1] + b"!"


@pytest.mark.parametrize("number", range(8))
def test_a_capsule_that_is_refused(ring, number):
    check, says, data = list(damaged(ring))[number]
    facts = good(ring["trusted"], data=data)
    assert says in only(facts, check).what


def test_an_index_that_nobody_names_is_not_taken_for_good(facts):
    assert unknown(replace(facts, image=Unread("no firmware-image"))) == {"image"}


def test_a_board_file_that_names_another_image_is_no_witness(facts):
    other = Guid.of("11111111-2222-4333-8444-555555555555")
    assert unknown(replace(facts, image=(other, 1))) == {"image"}


def test_a_capsule_of_the_user_is_judged_as_well(facts, ring):

    bad = capsule(ring["untrusted"])
    assert "signature" in problems(replace(facts, capsule=CapsuleFile("x", len(bad), bad)))


def test_below_the_lowest_version(key):
    facts = replace(good(key, data=capsule(key, fw_version=4)), lowest={(TYPE, 1): 5})
    finding = only(facts, "version")
    assert "--fw-version 5" in finding.fix[0]
    assert problems(replace(facts, lowest={(TYPE, 1): 4})) == {}
    assert problems(replace(facts, version="2023.01")) == {}


def test_an_older_version_is_a_note(key):
    facts = good(key, data=capsule(key, fw_version=4))
    running = replace(facts, esrt=(Resource(TYPE, 5, 0),))
    (found,) = judge(running).of(Severity.NOTE)
    assert found.check == "version"


def test_a_capsule_that_is_too_large_to_read(facts):
    big = replace(facts.volumes[0].files[0], content=Unread("too many bytes"))
    report = replace(facts, volumes=(replace(facts.volumes[0], files=(big,)),))
    assert problems(report) == {}
    assert {"capsule file", "image", "signature", "version"} <= unknown(report)


def test_what_was_refused_before(facts):
    result = struct.pack("<II", 48, 0) + bytes(32) + struct.pack("<Q", (1 << 63) | 26)
    last = Variable("CapsuleLast", CAPSULE_REPORT, 7, 0, "Capsule0003".encode("utf-16-le"))
    one = Variable("Capsule0003", CAPSULE_REPORT, 7, 0, result)
    (found,) = judge(stored(facts, *STORED, last, one)).of(Severity.NOTE)
    assert "SECURITY_VIOLATION" in found.what


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("2025.01", "the order of a.cap, b.cap is one of chance"),
        ("2030.01", "order of their names"),
    ],
)
def test_several_capsules_are_a_note(key, facts, version, says):
    files = [CapsuleFile(name, 0x1000, capsule(key)) for name in ("b.cap", "a.cap")]
    several = replace(facts, version=version, volumes=(volume(files),))
    (found,) = (each for each in judge(several).findings if each.check == "order")
    assert (found.severity, says in found.what) == (Severity.NOTE, True)


def test_a_firmware_that_cannot_delete_is_a_note(facts):
    readonly = Kconfig.parse(CONFIG.replace("CONFIG_FAT_WRITE=y", "# CONFIG_FAT_WRITE is not set"))
    report = judge(replace(facts, config=readonly))
    assert [each.check for each in report.of(Severity.NOTE)] == ["delete"]
    assert report.exit_code == 0
