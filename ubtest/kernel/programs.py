"""Programs of ours in the initramfs, beside busybox."""

from collections.abc import Iterator

from ubtest.firmware.apt import Say
from ubtest.formats.cpio import Entry


def programs(say: Say) -> Iterator[Entry]:
    """Each program that can be had on this machine, such as bin/vfio-probe.

    :param say: told what is left out, and why.
    """
    yield from ()
