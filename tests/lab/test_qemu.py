"""The QEMU machine and U-Boot's console on it, for real."""

import os
import re
import signal
from pathlib import Path

import pytest

from ubtest.errors import CaseError, FirmwareCrash, LabError
from ubtest.firmware.bundle import Bundle
from ubtest.media.content import Content
from ubtest.media.disk import build_disk

KIB = 1024


def test_labgrids_command_protocol(board):
    uboot = board.boot()
    assert uboot.run("echo one; echo two") == (["one", "two"], [], 0)
    assert uboot.run_check("echo one") == ["one"]


def test_a_crash_ends_the_wait_and_the_next_boot_works(board):
    uboot = board.boot()
    with pytest.raises(FirmwareCrash, match="Synchronous Abort") as caught:
        uboot.command("md.b dead00000000 1", timeout=60)
    assert "x0 " in caught.value.tail
    board.strategy.lost()
    assert board.boot().command("true").status == 0


def test_qemu_killed_in_the_middle_is_the_labs_fault(board):
    uboot = board.boot()
    os.kill(board.machine._process.pid, signal.SIGKILL)
    with pytest.raises(LabError, match="QEMU ended with -9"):
        uboot.command("version")
    board.strategy.lost()
    assert board.boot().command("true").status == 0


def test_options_that_qemu_refuses_are_quoted(lab):
    board = lab(("qemu-xhci,id=xhci", "no-such-device"))
    with pytest.raises(LabError, match="no-such-device"):
        board.boot()


def test_a_firmware_that_prints_nothing(lab, tmp_path):
    board = lab(("prompt:", "boot_timeout: 1\n        prompt:"))
    good = board.machine.bundle
    (tmp_path / "fw").mkdir()
    (tmp_path / "fw" / "u-boot.bin").write_bytes(b"\x00\x00\x00\x14" * KIB)  # branch to itself
    (tmp_path / "fw" / ".config").write_bytes((good.path / ".config").read_bytes())
    (tmp_path / "fw" / "manifest.json").write_bytes((good.path / "manifest.json").read_bytes())
    board.machine.bundle = Bundle.open(tmp_path / "fw")
    with pytest.raises(LabError, match="silent"):
        board.boot()


def test_a_firmware_of_another_architecture_is_refused(lab):
    board = lab(("firmware: qemu-arm64", "arch: x86_64\n        firmware: qemu-arm64"))
    with pytest.raises(CaseError, match="built for arm64, the board is x86_64"):
        board.boot()


def test_off_ends_the_process_and_cleanup_the_folder(lab):
    board = lab()
    board.boot()
    process, folder = board.machine._process._process, board.machine.folder
    board.off()
    assert process.returncode == 0
    board.target.env.cleanup()
    assert not folder.exists()


def test_flash_contents_survive_a_power_cycle(board):
    uboot = board.boot()
    uboot.check("protect off 3000000 +40000; erase 3000000 +40000; mw.b 48000000 5a 1000")
    uboot.check("cp.b 48000000 3000000 1000", timeout=30)
    assert board.machine.content()[0x3000000:0x3001001] == b"\x5a" * 4096 + b"\xff"
    board.off()
    assert board.machine.flash()[0x3000000:0x3001001] == b"\x5a" * 4096 + b"\xff"
    assert board.machine.content() == Content.of(board.machine.flash())
    assert "5a5a5a5a" in board.boot().check("md.l 3000000 1")


def test_a_snapshot_brings_flash_and_variables_back(lab):
    board = lab(("memory: 256M", "memory: 256M\n        snapshots: true"))
    uboot = board.boot()
    before = board.machine.flash()
    uboot.check("setenv mark before")
    board.machine.save("prompt")
    uboot.check("setenv mark after; erase 3000000 +40000", timeout=30)
    assert board.machine.flash() != before
    assert board.machine.content() == Content.of(board.machine.flash())
    board.machine.restore("prompt")
    assert uboot.check("printenv mark") == "mark=before"
    assert board.machine.flash() == before


def test_a_snapshot_without_the_setting_says_which(board):
    board.boot()
    with pytest.raises(LabError, match="snapshots: true"):
        board.machine.save("prompt")


def test_a_stick_comes_and_goes_at_the_prompt(board, tmp_path: Path):
    uboot = board.boot()
    disk = build_disk(tmp_path / "stick.img", {"hello.txt": b"hello from the stick"})
    uboot.check("usb start", timeout=20)
    assert "No storage devices" in uboot.command("usb storage").text

    name = board.machine.attach(disk, "usb")
    uboot.check("usb reset", timeout=20)
    assert re.search("Device 0: Vendor", uboot.check("usb storage"))
    uboot.check("load usb 0:1 48000000 hello.txt")
    assert "68 65 6c 6c 6f" in uboot.check("md.b 48000000 5")

    board.machine.detach(name)
    uboot.check("usb reset", timeout=20)
    assert "No storage devices" in uboot.command("usb storage").text


def test_several_disks_are_told_apart(board, tmp_path: Path):
    for number in range(3):
        disk = build_disk(
            tmp_path / f"{number}.img", {"who.txt": b"%d" % number}, identity=str(number)
        )
        board.machine.attach(disk)
    uboot = board.boot()
    uboot.check("virtio scan")
    found = []
    for number in range(3):
        uboot.check(f"load virtio {number}:1 48000000 who.txt")
        found.append(uboot.check("md.b 48000000 1").split()[1])
    assert sorted(found) == ["30", "31", "32"]
