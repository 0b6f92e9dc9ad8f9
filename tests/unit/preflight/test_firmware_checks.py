"""Checks of a whole board, and of its firmware: with one thing changed, one finds a problem."""

from dataclasses import replace

import pytest
from judged import only, problems, stored, unknown
from recorded import (
    CONFIG,
    at_the_desk,
    volume,
)

from ubtest.firmware.config import Kconfig
from ubtest.preflight.checks import judge
from ubtest.preflight.facts import Unread
from ubtest.preflight.finding import Severity


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
