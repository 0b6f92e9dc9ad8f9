"""Checks of the request and of the boot device that it leads to."""

from dataclasses import replace

import pytest
from judged import only, problems, stored, unknown
from recorded import (
    CONFIG,
    STORED,
    WHOLE_DISK,
    at_the_desk,
    request,
)

from ubtest.firmware.config import Kconfig
from ubtest.formats.devpath import END
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.varstore import Variable
from ubtest.media.disk import esp
from ubtest.preflight.checks import judge
from ubtest.uefi.bootmgr import boot_entry, boot_next, boot_order
from ubtest.uefi.variables import PERSISTENT


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
