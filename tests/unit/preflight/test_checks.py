"""Each check on facts of a good board with one thing changed: it alone finds a problem."""

import struct
from dataclasses import replace

import pytest
from recorded import (
    CONFIG,
    GPT,
    MBR,
    STORED,
    TYPE,
    WHOLE_DISK,
    at_the_desk,
    capsule,
    good,
    request,
    volume,
)

from ubtest.firmware.config import Kconfig
from ubtest.formats.capsule import Capsule
from ubtest.formats.devpath import END
from ubtest.formats.esrt import Resource
from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE, Guid
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.varstore import Variable
from ubtest.media.disk import esp
from ubtest.preflight.checks import judge
from ubtest.preflight.facts import CapsuleFile, Unread
from ubtest.preflight.finding import Severity
from ubtest.uefi.bootmgr import boot_entry, boot_next, boot_order
from ubtest.uefi.storage import Folder
from ubtest.uefi.variables import PERSISTENT


@pytest.fixture
def key(ring):
    return ring["trusted"]


@pytest.fixture
def facts(key):
    return good(key)


def problems(facts):
    return {each.check: each for each in judge(facts).problems}


def only(facts, check):
    """The finding of the one check that has a problem."""
    found = problems(facts)
    assert list(found) == [check]
    return found[check]


def stored(facts, *variables):
    return replace(
        facts,
        stored=variables,
        volumes=tuple(replace(each, store=variables) for each in facts.volumes),
    )


def unknown(facts):
    return {each.check for each in judge(facts).of(Severity.UNKNOWN)}


def test_a_good_board(facts):
    report = judge(facts)
    assert [each for each in report.findings if each.severity is not Severity.OK] == []
    assert (report.exit_code, report.verdict) == (0, "would be taken")


def test_a_good_board_on_a_desk(facts):
    report = judge(at_the_desk(facts))
    assert report.exit_code == 2
    assert unknown(at_the_desk(facts)) == {"request supported", "image"}
    assert report.verdict.startswith("cannot tell")


def test_every_problem_has_a_reason_and_a_fix(facts):
    bare = stored(replace(facts, volumes=(volume([]),), trusted=(), alternates=()))
    report = judge(bare)
    assert len(report.problems) >= 5
    assert [each for each in report.problems if not (each.what and each.why and each.fix)] == []


# Firmware


@pytest.mark.parametrize("symbol", ["EFI_CAPSULE_ON_DISK", "EFI_CAPSULE_FIRMWARE_RAW"])
def test_a_symbol_is_off(facts, symbol):
    config = Kconfig.parse(CONFIG.replace(f"CONFIG_{symbol}=y\n", ""))
    assert symbol in only(replace(facts, config=config), "features").what


def test_no_key(facts):
    assert "capsule-key" in only(replace(facts, trusted=()), "key").what
    assert "signature" in unknown(replace(facts, trusted=()))


def test_the_key_is_not_read(facts):
    assert {"key", "signature"} <= unknown(replace(facts, trusted=Unread("no fdt")))


def test_no_alternate_for_the_image(facts):
    assert "no alternate 0" in only(replace(facts, alternates=()), "flash").what


def test_an_alternate_that_is_too_small(facts):
    (place,) = facts.alternates
    assert place.size == 0x40000
    small = replace(facts, alternates=(replace(place, size=799),))
    assert "800 bytes" in only(small, "flash").what
    assert problems(replace(facts, alternates=(replace(place, size=800),))) == {}


def test_alternates_are_not_read(facts):
    assert unknown(replace(facts, alternates=Unread("no dfu"))) == {"flash"}


def test_nothing_starts_efi(facts):
    (found,) = judge(replace(facts, bootcmd="booti ${kernel_addr_r}")).of(Severity.NOTE)
    assert found.check == "start"


# Disk


def test_no_disk(facts):
    finding = only(replace(facts, devices=(), volumes=(), stored=Unread("no disk")), "disk")
    assert "=> virtio scan" in finding.fix


def test_no_partition(facts):
    finding = only(replace(facts, volumes=(), stored=Unread("no disk")), "partitions")
    assert finding.fix[0].startswith("$ sgdisk --new")


@pytest.mark.parametrize(
    ("table", "kind", "fix"),
    [
        (GPT, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "$ sgdisk --typecode=1:ef00 esp.img"),
        (MBR, "ef Boot", "$ sfdisk --part-type esp.img 1 ef"),
    ],
)
def test_another_type_of_partition(facts, table, kind, fix):
    other = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7" if table == GPT else "0c Boot"
    wrong = volume(facts.volumes[0].files, table=table.replace(kind, other))
    finding = only(replace(facts, volumes=(wrong,), stored=Unread("no ESP")), "ESP")
    assert finding.fix == (fix,)


def test_a_file_system_that_is_not_read(facts):
    broken = replace(facts.volumes[0], root=None, capsules=None, files=(), store=None)
    finding = only(replace(facts, volumes=(broken,), stored=Unread("no FAT")), "file system")
    assert finding.fix == ("$ mkfs.vfat --offset=2048 esp.img 63488",)


def test_a_damaged_store(facts):
    damage = Unread("ubootefi.var is damaged: crc32")
    broken = replace(facts.volumes[0], store=damage)
    finding = only(replace(facts, volumes=(broken,), stored=damage), "variable store")
    assert "crc32" in finding.what
    assert {"request", "boot device"} <= unknown(replace(facts, volumes=(broken,), stored=damage))


# Request


@pytest.mark.parametrize(
    ("variable", "says", "fixes"),
    [
        (None, "no OsIndications", 1),
        (request(0x8), "0x8: bit 2", 1),
        (request(4, size=4), "4 bytes", 2),
        (request(4, attributes=6), "non-volatile", 2),
    ],
)
def test_no_request(facts, variable, says, fixes):
    finding = only(stored(facts, *STORED[:2], *([variable] if variable else [])), "request")
    assert says in finding.what
    assert len(finding.fix) == fixes


def test_other_bits_of_the_request_stay(facts):
    finding = only(stored(facts, *STORED[:2], request(0x8)), "request")
    assert finding.fix[-1].endswith("OsIndications =0x000000000000000c")


def test_a_request_that_is_volatile(facts):
    live = (*facts.live, request(attributes=6))
    finding = only(replace(stored(facts, *STORED[:2]), live=live), "request")
    assert "-nv" in finding.what


def test_no_request_is_wanted(facts):
    config = Kconfig.parse(CONFIG + "CONFIG_EFI_IGNORE_OSINDICATIONS=y\n")
    assert problems(replace(stored(facts, *STORED[:2]), config=config)) == {}


# Boot device


def whole_disk(number: int) -> Variable:
    """An option whose path only the firmware reads; `options` has its text."""
    path = bytes.fromhex("01041400" + "11" * 16) + END
    data = LoadOption("virtio 0", path).pack()
    return Variable(f"Boot{number:04X}", GLOBAL_VARIABLE, PERSISTENT, 0, data)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ([], "no BootOrder"),
        ([boot_entry(1, esp())], "no BootOrder"),
        ([boot_order()], "BootOrder is empty"),
        ([boot_order(1)], "no such variable"),
        ([boot_order(1), boot_entry(1, esp(), attributes=0)], "not active"),
        ([boot_order(1), boot_entry(1, esp("other"))], "not there"),
        ([boot_order(0), whole_disk(0)], "whole disk"),
        ([boot_order(1), Variable("Boot0001", GLOBAL_VARIABLE, 7, 0, b"x")], "no boot option"),
        ([boot_next(1)], "Boot0001 leads nowhere"),
    ],
)
def test_no_boot_device(facts, variables, says):
    finding = only(stored(facts, *variables, request()), "boot device")
    assert says in finding.what
    assert finding.fix[-1].startswith("=> setenv -e -nv -bs -rt -v OsIndications")


@pytest.mark.parametrize(
    "variables",
    [
        [boot_order(3, 2, 1), boot_entry(1, esp()), boot_entry(2, esp("other"))],
        [boot_next(1), boot_entry(1, esp())],
        [boot_next(2), boot_order(1), boot_entry(1, esp()), boot_entry(2, esp("other"))],
        [boot_next(9), boot_order(1), boot_entry(1, esp())],
    ],
)
@pytest.mark.parametrize("place", [lambda facts: facts, at_the_desk])
def test_a_boot_device(facts, variables, place):
    assert problems(place(stored(facts, *variables, request()))) == {}


def test_a_whole_disk_where_that_is_mended(facts):
    own = stored(facts, boot_order(0), whole_disk(0), request())
    assert problems(replace(own, version="2026.04")) == {}


def test_a_path_that_was_not_read_is_not_taken_for_good(facts):
    own = at_the_desk(stored(facts, boot_order(0), whole_disk(0), request()))
    assert "boot device" in unknown(own)
    assert WHOLE_DISK not in str(judge(own))


def test_an_option_that_is_good_comes_first(facts):
    variables = [boot_order(2), boot_entry(1, esp()), boot_entry(2, esp("other")), request()]
    finding = only(stored(facts, *variables), "boot device")
    assert finding.fix[0] == "=> efidebug boot order 0001 0002"


def test_a_new_option_takes_a_free_number(facts):
    variables = [boot_order(1, 7), boot_entry(1, esp("other")), request()]
    finding = only(stored(facts, *variables), "boot device")
    assert finding.fix[:2] == (
        "=> efidebug boot add -b 0002 capsules virtio 0:1 /EFI/BOOT/BOOTAA64.EFI",
        "=> efidebug boot order 0002 0001",
    )


# Capsule


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
