"""Which commands of a report count as writing, and where they may be run."""

import pytest

from ubtest.errors import CaseError
from ubtest.repro.safety import READS, WRITES, Concern, Place, concerns, permit


@pytest.mark.parametrize(
    "line",
    [
        "erase 0x0 +0x40000",
        "sf erase 0 1000",
        "sf update 40000000 0 1000",
        "mmc write 40000000 0 10",
        "mmc partconf 0 1 1 0",
        "nand erase.chip",
        "mtd write nor0 40000000",
        "fuse prog -y 0 1 2",
        "saveenv",
        "env save",
        "env erase",
        "setenv -e -nv -bs Boot0001",
        "env set -e -nv x",
        "efidebug boot rm 1",
        "efidebug capsule update -v 40000000",
        "protect off all",
        "cp.b 40000000 4000000 1000",
        "usb write 40000000 0 1",
        "gpt write mmc 0 $partitions",
        "fatwrite usb 0:1 40000000 x 10",
        "tpm2 clear TPM2_RH_LOCKOUT",
        "run bootcmd",
        "bootefi bootmgr",
        "i2c mw 50 0 1",
    ],
)
def test_what_writes_is_told(line):
    assert [each.command for each in concerns([line])] == [line]


@pytest.mark.parametrize(
    "line",
    [
        "usb start",
        "usb tree",
        "version",
        "efidebug dh",
        "efidebug boot dump",
        "printenv -e",
        "ls usb 0:1 /",
        "load usb 0:1 40000000 x",
        "md.b 40000000 40",
        "fdt addr ${fdtcontroladdr}",
        "setenv devnum 1",
        "pci 1 long",
        "ls usb ${devnum}:1 /",
        "mmc info; mmc dev 0 && mmc part",
        "if usb start; then echo fine; fi",
        "test 1 -eq 1 || echo no",
    ],
)
def test_what_reads_is_not(line):
    assert concerns([line]) == ()


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("usb start; sf erase 0 1000", "sf erase 0 1000"),
        ("version && saveenv", "saveenv"),
        ("if true; then erase all; fi", "erase all"),
        ("savee", "savee"),  # U-Boot takes abbreviations
        ("er'a'se all", "er'a'se all"),
        ("${x} all", "${x} all"),
        ("\\erase all", "\\erase all"),
        ("echo a > *40000000", "echo a > *40000000"),
        ('setenv x "sf erase 0 1000"; run x', "run x"),
        ("time erase all", "time erase all"),
        ("efidebug test bootmgr", "efidebug test bootmgr"),
        ("clk setfreq x 1", "clk setfreq x 1"),
        ("pci write.l 1 2 3", "pci write.l 1 2 3"),
        ("ls hostfs - /etc", "ls hostfs - /etc"),
        ('ls "host"fs - /etc', 'ls "host"fs - /etc'),
        ("ls $x - /etc", "ls $x - /etc"),
        ("load hostfs - 40000000 /etc/passwd", "load hostfs - 40000000 /etc/passwd"),
    ],
)
def test_what_hides_is_found(line, hidden):
    assert hidden in [each.command for each in concerns([line])]


def test_a_name_that_is_put_together_is_told_as_such():
    (found,) = concerns(["er'a'se all"])
    assert "variables or quotes" in found.why


def test_a_name_is_on_one_side_or_says_which_words_are_harmless():
    assert {
        name for each in WRITES if not each.words for name in each.names
    } & READS.keys() == set()


@pytest.mark.parametrize("line", ["version\rerase all", "usb start\nsaveenv", "x\x1b[2J", "x\x03"])
def test_no_control_character_is_typed(line):
    with pytest.raises(CaseError, match="control characters"):
        concerns([line])


def test_shell_lines_run_as_root():
    assert concerns([], ["dmesg"]) == (Concern("dmesg", "runs as root on the target's Linux"),)


WRITING = concerns(["sf erase 0 1000"])


def test_copies_may_be_written():
    permit(WRITING, Place.COPIES, yes=False)


def test_a_real_board_only_after_a_word():
    permit((), Place.HARDWARE, yes=False)
    permit(WRITING, Place.HARDWARE, yes=True)
    with pytest.raises(CaseError, match="sf erase 0 1000") as refused:
        permit(WRITING, Place.HARDWARE, yes=False)
    assert "--yes" in refused.value.next_step


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize(
    "line", ["host bind 0 /etc/passwd", "go 40000000", "sb save hostfs - 0 x 1"]
)
def test_this_machine_never(line, yes):
    with pytest.raises(CaseError, match="with your rights"):
        permit(concerns([line]), Place.HOST, yes)
