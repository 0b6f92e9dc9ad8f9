"""The initramfs: busybox, modules that nobody loads unasked, and programs of ours."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.formats.cpio import Entry, pack
from ubtest.kernel.module_table import WANTED
from ubtest.kernel.modules import ModuleTree, entries

INIT = Path(__file__).with_name("init")
# What /init, the shell driver and the checks call
_APPLETS = """
    base64 cat chmod crc32 cttyhack cut date dd devmem dmesg find grep gunzip gzip head ifconfig
    insmod ip kill ln ls lsmod mkdir mknod modprobe mount ping ps readlink rm rmmod sed setsid
    sh sha256sum sleep sort stat stty switch_root sync tail tar tftp timeout tr udhcpc umount
    uname wc xargs
"""


def initramfs(tree: ModuleTree, busybox: bytes, programs: Iterable[Entry] = ()) -> bytes:
    """The compressed archive; the same bytes for the same arguments.

    :param programs: more files, such as the VFIO probe.
    :raises CaseError: a module that cannot be taken, or a busybox that lacks an applet.
    """
    members = [
        Entry("init", INIT.read_bytes(), 0o755),
        Entry("bin/busybox", busybox, 0o755),
        *(Entry.link(f"bin/{name}", "busybox") for name in applets(busybox) if name != "busybox"),
        Entry.link("sbin", "bin"),  # the kernel itself calls /sbin/modprobe
        *programs,
    ]
    members += entries(tree, tree.closure(each.name for each in WANTED))
    return gzip.compress(pack(members), 6, mtime=0)


def applets(busybox: bytes) -> list[str]:
    """The programs in a busybox, from its table of names: nothing here runs arm64 code.

    :raises CaseError: it has no such table, or lacks an applet that we need.
    """
    found = re.search(rb"\[\0\[\[\0((?:[a-z0-9_.+-]+\0)+)", busybox)
    names = found[1].decode().split("\0")[:-1] if found else []
    if lacking := {*_APPLETS.split()} - {*names}:
        raise CaseError(
            f"this busybox has no {', '.join(sorted(lacking))}",
            next_step="take Debian's busybox-static for arm64",
        )
    return ["[", "[[", *names]
