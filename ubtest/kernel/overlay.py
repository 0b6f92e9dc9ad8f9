"""A kernel with more in its initramfs: a script, a module, for one test."""

import gzip
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ubtest.errors import writing
from ubtest.formats.cpio import Entry, pack
from ubtest.kernel.bundle import KernelBundle


def with_files(kernel: KernelBundle, files: Iterable[Entry], path: Path) -> KernelBundle:
    """The same kernel, with a second archive behind its initramfs; the kernel unpacks both.

    :param path: where the longer initramfs goes.
    :raises HostError: it cannot be written.
    """
    with writing(path):
        # Level 1: it is unpacked once
        path.write_bytes(kernel.initrd.read_bytes() + gzip.compress(pack(files), 1, mtime=0))
    return replace(kernel, initrd=path)
