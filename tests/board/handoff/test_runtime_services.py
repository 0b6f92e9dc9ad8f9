"""Runtime services that must answer a running kernel, and those that must not.

GetVariable and GetNextVariableName are in test_handed_over: efivarfs shows what U-Boot held.
"""

import pytest

from ubtest.errors import FirmwareError
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.handoff import pci, services
from ubtest.handoff.handed import hand_over
from ubtest.handoff.survey import Survey
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.plugin.run_state import board_run

pytestmark = pytest.mark.needs("linux")

EFIVARS = "/sys/firmware/efi/efivars"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
# Without PSCI in its tree the kernel has no other way to reset than through UEFI
NO_PSCI = ("fdt rm /psci",)
REBOOT = "(sleep 1; reboot -f) >/dev/null 2>&1 &"  # `run` returns first


@pytest.mark.needs("!EFI_RT_VOLATILE_STORE")
@pytest.mark.parametrize("name", ["BootNext", "BootOrder", "ubtest"])
def test_no_variable_can_be_written(linux, name):
    """With EFI_RT_VOLATILE_STORE, from 2024.07 on, this would work: not in this configuration."""
    path = f"{EFIVARS}/{name}-{GLOBAL}"
    before = linux.run(f"sha256sum {EFIVARS}/*").output
    reply = linux.run(f"printf '\\007\\0\\0\\0\\001\\0' > {path}")
    assert reply.status
    assert "Read-only file system" in reply.text
    assert linux.run(f"mount -o remount,rw {EFIVARS}").status
    assert linux.run(f"sha256sum {EFIVARS}/*").output == before


def test_no_clock_was_made_of_get_time(linux):
    assert linux.check("cat /sys/class/rtc/*/name").split()[0] != "rtc-efi"
    assert "rtc-efi" not in linux.check("ls /sys/bus/platform/devices")


@pytest.mark.mutates("linux")
def test_no_capsule_can_be_handed_in(linux, image_type):
    payload = FmpPayload(image_type, b"ubtest")
    linux.write("/tmp/u.cap", Capsule((payload,)).pack())
    linux.check("modprobe capsule-loader")
    reply = linux.run("cat /tmp/u.cap > /dev/efi_capsule_loader")
    assert reply.status
    assert "write error" in reply.text


@pytest.fixture
def image_type(request):
    """The one that capsules update here."""
    return board_run(request.config).board.image.image_type


def test_reset_is_uefis(board, kernel):
    shell = board.linux(LinuxBoot(kernel, tree=NO_PSCI))
    assert "psci:" not in shell.check("dmesg")
    reboot(board)


@pytest.mark.slow
def test_without_uefi_and_psci_there_is_no_reset(board, kernel):
    """The refuse twin: it was UEFI that reset the board in the other test."""
    board.linux(LinuxBoot(kernel, arguments="efi=noruntime", tree=NO_PSCI))
    with pytest.raises(FirmwareError):
        reboot(board)
    assert "Reboot failed -- System halted" in board.uboot.transcript.tail()


@pytest.mark.slow
def test_the_boot_after_a_reset_is_as_the_one_before(board, kernel, results):
    first = hand_over(board, LinuxBoot(kernel))
    reboot(board)
    again = hand_over(board, LinuxBoot(kernel))
    again.survey.save(results.folder / "again.tar.gz")
    for side in (pci.at_firmware, pci.at_kernel):
        assert side(first.survey) == side(again.survey)
    for name in ("tables", "memmap", "esrt"):
        assert first.held(name) == again.held(name)


def reboot(board) -> None:
    """Let Linux reset the board, and wait for U-Boot's prompt."""
    board.shell.check(REBOOT)
    board.target.deactivate(board.shell)
    board.strategy.force("uboot")


def test_a_flag_without_its_service_is_caught(plain):
    files = {**plain.survey.files}
    flags = int(files["efi/rt-properties"], 16) | 0x40 << 32
    wrong = services.findings(Survey({**files, "efi/rt-properties": hex(flags).encode()}))
    assert ["SetVariable" in each.what for each in wrong] == [True]


def test_a_service_without_its_flag_is_caught(plain):
    files = {**plain.survey.files}
    flags = int(files["efi/rt-properties"], 16) & ~(0x10 << 32)
    wrong = services.findings(Survey({**files, "efi/rt-properties": hex(flags).encode()}))
    assert {each.what.split()[0] for each in wrong} == {"GetVariable", "GetVariable:"}
