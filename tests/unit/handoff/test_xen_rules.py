"""Rules of a handoff to Xen, on a recorded one that is right: whatever goes wrong is seen."""

import re
from functools import cache
from pathlib import Path

import pytest

from ubtest.errors import FirmwareError
from ubtest.handoff import xen_rules as rules
from ubtest.handoff.firmware_side import TREE
from ubtest.handoff.survey import Survey
from ubtest.handoff.xen import INFO, LOG, MAP, TOLD, XenHandoff

# U-Boot 2025.01, Xen 4.17, Linux 6.1, dom0_mem=256M of 1 GiB; with a hole, a pool and an entry
RECORDED = Path(__file__).with_name("handed") / "xen-2025.01.tar.gz"


# The entry in front of the tree, on Xen's list of what is reserved
LISTED = b"\n(XEN)  RESVD[9]: 0000000066500000 - 0000000066600000"


@cache
def recorded() -> Survey:
    return Survey.load(RECORDED)


def broken(name: str, pattern: bytes, by: bytes) -> set[str]:
    """The rules that do not hold once a file says something else."""
    before = recorded().files[name]
    after, count = re.subn(pattern, by, before, flags=re.MULTILINE)
    assert count, f"{name} has no {pattern!r}"
    handoff = XenHandoff.read(Survey({**recorded().files, name: after}))
    return {each.rule for each in rules.findings(handoff)}


def test_the_recorded_one_is_right():
    assert rules.findings(XenHandoff.read(recorded())) == []


@pytest.mark.parametrize(
    ("name", "pattern", "by", "rule"),
    [
        # Xen takes what the firmware keeps for its runtime, or what is beyond the map
        (LOG, rb"- 000000007f69ffff$", b"- 000000007f6affff", rules.NOT_INVENTED),
        (LOG, rb"- 000000007fffffff$", b"- 00000000800fffff", rules.NOT_INVENTED),
        (MAP, rb"^BOOT CODE( +)000000007f6b", rb"RESERVED \g<1>000000007f6b", rules.NOT_INVENTED),
        (
            TREE,
            b"@\\0\\0\\0\\0\\0\\0\\0@\\0\\0\\0",
            b"@\\0\\0\\0\\0\\0\\0\\0 \\0\\0\\0",
            rules.NOT_INVENTED,
        ),
        # A bank, or the end of one, is lost
        (LOG, rb"^\(XEN\) RAM: [0-9a-f]+ - 000000007fffffff\n", b"", rules.NOT_LOST),
        (LOG, rb"- 000000007fffffff$", b"- 000000007ff7ffff", rules.NOT_LOST),
        # The no-map hole is RAM, the entry in front of the tree is, Xen did not hear of the pool
        (LOG, rb"- 0000000045ffffff$", b"- 00000000460fffff", rules.KEPT),
        (LOG, rb"- 00000000664fffff$", b"- 00000000665fffff", rules.KEPT),
        (LOG, rb"^\(XEN\)  RESVD.*00000000463fffff\n", b"", rules.KEPT),
        (LOG, rb"- 00000000664fffff$", b"- 00000000665fffff" + LISTED, rules.KEPT),
        # The ramdisk is cut short; the kernel is where it cannot be
        (LOG, rb"- ([0-9a-f]{15})[0-9a-f] Ramdisk", rb"- \g<1>f Ramdisk", rules.MODULES),
        (LOG, rb"^\(XEN\) MODULE.*Kernel +\n", b"", rules.MODULES),
        (
            LOG,
            rb"[0-9a-f]{16} - [0-9a-f]{16} Dev",
            b"0000000009000000 - 0000000009001000 Dev",
            rules.MODULES,
        ),
        (
            LOG,
            rb"[0-9a-f]{16} - [0-9a-f]{16} Dev",
            b"000000007b800000 - 000000007b801000 Dev",
            rules.MODULES,
        ),
        # Counts
        (INFO, rb"(total_memory +: )\d+", rb"\g<1>1024", rules.COUNTED),
        (INFO, rb"(free_memory +: )\d+", rb"\g<1>500", rules.COUNTED),
        # dom0 asked for more than it got, has more than that, or does not use it
        (TOLD, rb'"dom0_mem": 268435456', b'"dom0_mem": 536870912', rules.DOM0_MEMORY),
        (
            LOG,
            rb"0x00000050000000-0x00000060000000",
            b"0x00000090000000-0x000000a0000000",
            rules.DOM0_MEMORY,
        ),
        ("proc/iomem", rb"\Z", b"90000000-9fffffff : System RAM\n", rules.DOM0_RAM),
        ("proc/iomem", rb"^(\w+)-(\w+)fffff : System", rb"\1-\g<2>effff : System", rules.DOM0_RAM),
        ("dmesg", rb"efi: UEFI not found\.", b"efi: EFI v2.100 by Das U-Boot", rules.NO_UEFI),
        # A device that dom0 does not see, and one with another interrupt
        ("fdt", rb"pl031@9010000", b"pl031@9010001", rules.DOM0_TREE),
        ("fdt", rb"virtio,mmio", b"virtio,mmia", rules.DOM0_TREE),
    ],
)
def test_what_goes_wrong_is_seen(name, pattern, by, rule):
    assert rule in broken(name, pattern, by)


def test_a_log_without_its_begin_is_no_verdict():
    with pytest.raises(FirmwareError, match="cannot be judged"):
        broken(LOG, rb"^\(XEN\) RAM.*\n", b"")
