"""The Linux shell on the console is exact: every byte of an answer, and each command once."""

import hashlib
import re

import pytest

from ubtest.errors import FirmwareError, KernelCrash
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.strategy import State

MiB = 1 << 20
LEVELS = 8
# Each level is printed, and none is held back; from a process that ends when the file is there
FLOOD = (
    "echo on >/proc/sys/kernel/printk_devkmsg; echo 8 >/proc/sys/kernel/printk; "
    "(i=0; while [ ! -e /run/enough ]; do i=$((i+1)); "
    'echo "<$((i%8))>flood $i aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" >/dev/kmsg; '
    "done) >/dev/null 2>&1 &"
)
TORN = re.compile(r"^\d+\.\d+:[A-Za-z0-9+/=]{1,75}\[ *\d+\.\d+\] flood", re.MULTILINE)


def test_output_and_status_are_exact(linux):
    assert linux.run("printf 'no end of line'").output == b"no end of line"
    assert linux.run("printf '\\000\\377\\r\\n\\033[6n'").output == b"\x00\xff\r\n\x1b[6n"
    assert linux.run("echo '# '; echo '$ '").output == b"# \n$ \n"
    assert linux.run("exit 7").status == 7
    assert linux.run("nothing-of-this-name").status == 127
    assert [linux.check(f"echo {n}") for n in range(50)] == [str(n) for n in range(50)]


def test_a_command_leaves_nothing_to_the_next(linux):
    linux.check("cd /sys; spoilt=yes; exec 2>/dev/null")
    assert linux.check("echo $spoilt") == ""
    assert linux.check("pwd") != "/sys"
    assert linux.check("cat") == ""  # nothing to read


def test_labgrid_unpacks_an_answer(linux):
    assert tuple(linux.run("echo one; echo two; false")) == (["one", "two"], [], 1)
    assert linux.run_check("echo one") == ["one"]


def test_a_file_that_does_not_know_its_size(linux):
    """sysfs says 4096, proc says 0; the tree's own header says how long it is."""
    tree = linux.read("/sys/firmware/fdt")
    assert tree[:4] == b"\xd0\x0d\xfe\xed"
    assert int.from_bytes(tree[4:8], "big") == len(tree)
    assert linux.read("/proc/version").startswith(b"Linux version ")
    with pytest.raises(FirmwareError, match="No such file"):
        linux.read("/sys/firmware/fdt of nobody")


@pytest.mark.slow
@pytest.mark.mutates("linux")
def test_a_mebibyte(linux):
    linux.check(f"dd if=/dev/urandom of=/run/random bs={MiB} count=1")
    data = linux.read("/run/random", timeout=60)
    assert len(data) == MiB
    assert linux.check("sha256sum </run/random").split()[0] == hashlib.sha256(data).hexdigest()
    assert linux.run(f"head -c {MiB} /dev/zero", timeout=60).output == bytes(MiB)


@pytest.mark.parametrize("size", [0, 1, 3000, 30000])
def test_what_is_written_is_read_back(linux, size):
    data = (bytes(range(256)) * 120)[:size]
    linux.write("/run/it's here", data)
    assert linux.read("/run/it's here") == data
    linux.check('rm "/run/it\'s here"')


def test_a_setting_is_written_with_one_call(linux):
    before = linux.read("/proc/sys/kernel/domainname")
    for name in (b"ubtest\n", before):
        linux.write("/proc/sys/kernel/domainname", name)
        assert linux.read("/proc/sys/kernel/domainname") == name
    with pytest.raises(FirmwareError, match="dd: "):
        linux.write("/proc/version", b"no")


@pytest.mark.mutates("linux")
def test_kernel_messages_change_no_byte(linux):
    tree = linux.read("/sys/firmware/fdt")
    linux.check("dd if=/dev/urandom of=/run/random bs=20000 count=1")
    data = linux.read("/run/random")
    linux.check(FLOOD)
    try:
        assert linux.read("/sys/firmware/fdt") == tree
        for _ in range(20):
            assert linux.read("/run/random", timeout=60) == data
            torn = TORN.search(linux.transcript.tail(1000))
            if torn:
                break
        assert torn, "the flood came between the lines only: nothing was shown"
        linux.write("/run/back", data[:5000], timeout=60)
        answers = [linux.check(f"echo {n} >>/run/once; echo {n}") for n in range(20)]
    finally:
        linux.check("touch /run/enough")
    assert answers == [str(n) for n in range(20)]
    assert linux.check("cat /run/once").split() == answers  # and none ran twice
    assert linux.read("/run/back") == data[:5000]
    log = linux.check("dmesg -r | sed -n 's/^<\\([0-9]*\\)>.* flood .*/\\1/p' | sort -u").split()
    assert {int(level) % LEVELS for level in log} == {*range(LEVELS)}


def test_a_command_that_does_not_end(linux):
    with pytest.raises(FirmwareError, match=r"`sleep 3` did not return within 0\.5 s"):
        linux.run("sleep 3", timeout=0.5)
    assert linux.check("echo still exact", timeout=30) == "still exact"


@pytest.mark.needs("linux")
def test_a_panic_ends_the_wait_with_its_dump(board, kernel):
    shell = board.linux(LinuxBoot(kernel))
    with pytest.raises(KernelCrash, match=r"sysrq triggered crash") as caught:
        shell.run("echo c >/proc/sysrq-trigger", timeout=60)
    assert "write_sysrq_trigger" in caught.value.tail  # of the call trace
    assert "end Kernel panic" in caught.value.tail


@pytest.mark.slow
@pytest.mark.needs("linux")
def test_after_a_panic_the_next_boot_works(board, kernel):
    with pytest.raises(KernelCrash):
        board.linux(LinuxBoot(kernel)).run("echo c >/proc/sysrq-trigger", timeout=60)
    assert board.strategy.status is State.linux
    board.strategy.lost()
    assert board.linux(LinuxBoot(kernel)).check("echo again") == "again"


@pytest.mark.slow
@pytest.mark.needs("linux")
def test_a_board_that_resets_by_itself(board, kernel):
    shell = board.linux(LinuxBoot(kernel))
    with pytest.raises(KernelCrash, match="reset by itself"):
        shell.run("echo b >/proc/sysrq-trigger", timeout=60)


@pytest.mark.slow
@pytest.mark.needs("linux")
def test_a_kernel_without_its_root_panics(board, kernel):
    with pytest.raises(KernelCrash, match="Kernel panic"):
        board.linux(LinuxBoot(kernel, arguments="rdinit=/none root=/dev/none"))


@pytest.mark.needs("linux")
def test_an_image_that_is_no_kernel_is_not_started(board, kernel):
    boot = LinuxBoot(kernel)
    board.insert(boot)
    uboot = board.boot()
    uboot.check(
        "virtio scan; mw.b ${kernel_addr_r} 0 1000; save virtio 0:1 ${kernel_addr_r} Image 1000"
    )
    with pytest.raises(FirmwareError, match="the kernel was not started"):
        board.linux(boot)


@pytest.mark.slow
@pytest.mark.needs("linux")
def test_no_shell_comes(board, kernel):
    board.shell.boot_timeout, before = 12, board.shell.boot_timeout
    try:
        with pytest.raises(FirmwareError, match="no shell came within 12 s") as caught:
            board.linux(LinuxBoot(kernel, arguments="rdinit=/bin/cat"))
    finally:
        board.shell.boot_timeout = before
    assert "Run /bin/cat as init process" in caught.value.tail
    assert "console=" in caught.value.next_step


@pytest.mark.mutates("linux")
def test_a_read_only_root(linux):
    """Where nothing can be written, the message says where a place is looked for."""
    linux.check("mount -o remount,ro /")
    assert linux.run("touch /there").status != 0
    assert linux.check("echo exact") == "exact"
