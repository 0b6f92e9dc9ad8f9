"""U-Boot's sandbox and its console, for real. Wants `ubtest firmware build sandbox`."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from conftest import SANDBOX

from ubtest.errors import CaseError, FirmwareCrash, FirmwareError, LabError
from ubtest.firmware.bundle import Bundle, find
from ubtest.lab.board import Board
from ubtest.lab.sandbox import FLASH_SIZE
from ubtest.media.disk import build_disk

pytestmark = pytest.mark.slow  # wants another build of U-Boot


@pytest.fixture
def board(lab) -> Board:
    """boards/sandbox.yaml as it is."""
    return lab(file=SANDBOX)


# the console


def test_a_line_as_long_as_the_firmware_takes(board):
    text = "x" * 900
    assert board.boot().check(f"echo {text}") == text


def test_ctrl_c_interrupts_a_command(board):
    uboot = board.boot()
    uboot.session.send_reset("echo star''ted; sleep 60")
    uboot.session.wait(rb"started\r\n", timeout=5)
    board.machine.write(b"\x03")
    uboot.session.wait(rb"=> ", timeout=5)
    assert uboot.check("echo on") == "on"


# its end


@pytest.mark.parametrize(
    ("command", "what"),
    [("sigsegv", "Segmentation violation"), ("undefined", "Illegal instruction")],
)
def test_a_crash_is_the_firmwares_and_the_next_boot_works(board, command, what):
    uboot = board.boot()
    with pytest.raises(FirmwareCrash, match=what) as caught:
        uboot.command(f"exception {command}", timeout=60)
    assert re.search(r"pc_reloc = 0x[0-9a-f]+$", caught.value.tail)
    assert not board.machine.get()
    board.strategy.lost()
    assert board.boot().command("true").status == 0


def test_a_firmware_that_gives_up_has_crashed(board):
    uboot = board.boot()
    with pytest.raises(FirmwareCrash, match="SIGABRT") as caught:
        uboot.command("md.b 30000000 1")
    assert "Cannot map sandbox address" in caught.value.tail


def test_a_firmware_that_ends_unasked_is_wrong(board):
    uboot = board.boot()
    with pytest.raises(FirmwareError, match="ended by itself, with exit code 0") as caught:
        uboot.command("poweroff")
    assert not isinstance(caught.value, FirmwareCrash)


def test_killed_in_the_middle_is_the_labs_fault(board):
    uboot = board.boot()
    os.kill(board.machine._process.pid, signal.SIGKILL)
    with pytest.raises(LabError, match="ended by SIGKILL"):
        uboot.command("version")
    board.strategy.lost()
    assert board.boot().command("true").status == 0


def test_a_program_that_does_not_start_is_the_labs_fault(board, tmp_path):
    shutil.copytree(find("sandbox").path, tmp_path / "fw")
    (tmp_path / "fw" / "u-boot").write_text("#!/bin/sh\necho no library >&2\nexit 127\n")
    board.machine.bundle = Bundle.open(tmp_path / "fw")
    with pytest.raises(LabError, match="did not start and ended with 127") as caught:
        board.boot()
    assert caught.value.tail == "no library"


def test_a_firmware_of_another_architecture_is_refused(board):
    with pytest.raises(CaseError, match="built for arm64, the board is sandbox"):
        board.machine.bundle = find("qemu-arm64")


def test_half_a_firmware_is_refused(board, tmp_path):
    shutil.copytree(find("sandbox").path, tmp_path / "fw")
    (tmp_path / "fw" / "u-boot").unlink()
    with pytest.raises(CaseError, match="u-boot is missing"):
        board.machine.bundle = Bundle.open(tmp_path / "fw")


# reset and power


def test_a_reset_keeps_the_flash_and_nothing_else(board):
    uboot = board.boot()
    pid = board.machine._process.pid
    uboot.check("setenv mark before; mw.b 1000000 5a 1000; sf probe; sf write 1000000 100000 1000")
    log = uboot.reset()
    assert "DRAM:" in log
    assert board.machine._process.pid == pid  # the program starts anew in the same process
    assert uboot.command("printenv mark").status == 1
    assert uboot.check("md.b 1000000 1").split()[1] == "00"
    assert "5a5a5a5a" in uboot.check("sf probe; sf read 1000000 100000 4; md.l 1000000 1")


def test_flash_contents_survive_a_power_cycle(board):
    uboot = board.boot()
    uboot.check("mw.b 1000000 5a 1000; sf probe; sf write 1000000 100000 1000")
    board.off()
    assert board.machine.flash()[0x100000:0x101001] == b"\x5a" * 4096 + b"\xff"
    uboot = board.boot()
    assert "5a5a5a5a" in uboot.check("sf probe; sf read 1000000 100000 4; md.l 1000000 1")


def test_new_flash_is_erased_but_for_what_is_planted(board):
    board.machine.renew({0x100000: b"old"})
    flash = board.machine.flash()
    assert len(flash) == FLASH_SIZE
    assert flash[0x100000:0x100003] == b"old"
    assert flash.count(b"\xff") == FLASH_SIZE - 3


def test_writing_behind_the_end_of_the_flash_is_the_firmwares_fault(board):
    board.machine.renew()
    with (board.machine.folder / "flash0.img").open("ab") as file:
        file.write(b"x")
    with pytest.raises(FirmwareError, match="wrote to 0x200001 in a flash of 0x200000 bytes"):
        board.machine.flash()


def test_the_firmware_finds_the_keys_of_the_ring(board):
    log = board.boot().check("fdt addr $fdtcontroladdr; fdt print /signature capsule-key")
    assert "capsule-key" in log


def test_properties_that_a_test_adds_are_in_the_device_tree_until_it_ends(board):
    look = "fdt addr $fdtcontroladdr; fdt print /ubtest mark"
    board.machine.renew()
    board.machine.dtb_properties = {"/ubtest": {"mark": 0x1234}}
    assert "0x00001234" in board.boot().check(look)
    board.off()
    board.machine.renew()
    assert board.boot().command(look).status == 1


# disks and memory


def test_a_disk_comes_and_goes_at_the_prompt(board, tmp_path: Path):
    uboot = board.boot()
    disk = build_disk(tmp_path / "disk.img", {"hello.txt": b"hello"})
    name = board.machine.attach(disk, board.storage.bus)
    uboot.check(board.storage.find.format(path=disk.path))
    uboot.check(f"load {board.storage.partition} 1000000 hello.txt")
    assert "68 65 6c 6c 6f" in uboot.check("md.b 1000000 5")
    uboot.check("fatwrite host 0:1 1000000 written.txt 5")
    assert disk.read("written.txt") == b"hello"  # while it is bound

    uboot.check("host unbind 0")
    board.machine.detach(name)
    assert uboot.command(f"load {board.storage.partition} 1000000 hello.txt").status


def test_another_bus_is_refused(board, tmp_path: Path):
    disk = build_disk(tmp_path / "disk.img", {})
    with pytest.raises(CaseError, match="on the bus `host` only"):
        board.machine.attach(disk, "usb")


def test_bytes_go_straight_into_memory(board):
    uboot = board.boot()
    assert board.machine.put(b"hello", 0x11001000) == ""
    assert "68 65 6c 6c 6f" in uboot.check("md.b 1000000 5")
    with pytest.raises(CaseError, match="no memory at 0x10"):
        board.machine.put(b"hello", 0x10)


# beside each other, and afterwards


def test_two_at_once_do_not_meet(lab):
    one, other = lab(file=SANDBOX), lab(file=SANDBOX)
    one.boot().check("setenv who one; mw.b 1000000 11 100; sf probe; sf write 1000000 0 100")
    other.boot().check("setenv who other; mw.b 1000000 22 100; sf probe; sf write 1000000 0 100")
    assert one.uboot.check("printenv who") == "who=one"
    assert other.uboot.check("printenv who") == "who=other"
    assert (one.machine.flash()[0], other.machine.flash()[0]) == (0x11, 0x22)


def test_off_ends_the_process_and_cleanup_the_folder(board):
    board.boot()
    process, folder = board.machine._process._process, board.machine.folder
    assert Path(f"/proc/{process.pid}/cwd").readlink() == folder
    board.off()
    assert process.returncode == -signal.SIGKILL
    board.target.env.cleanup()
    assert not folder.exists()
