"""Programs of ours in the initramfs, beside busybox."""

from collections.abc import Iterator

from ubtest.errors import UbtestError
from ubtest.firmware.apt import Say
from ubtest.formats.cpio import Entry
from ubtest.kernel.vfio_probe import NAME, vfio_probe


def programs(say: Say) -> Iterator[Entry]:
    """Each program that can be had on this machine.

    :param say: told what is left out, and why.
    """
    try:
        yield Entry(f"bin/{NAME}", vfio_probe(on_wait=say).read_bytes(), 0o755)
    except UbtestError as error:
        say(f"the initramfs is without {NAME}: {error.message}")
