"""A longer initramfs has both archives, and the kernel's own stays as it was."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from ubtest.formats.cpio import Entry, pack, parse
from ubtest.kernel.overlay import with_files


@dataclass(frozen=True)
class Kernel:
    """As much of a bundle as counts here."""

    initrd: Path
    image: Path = Path("Image")


def members(data):
    """Each gzip member of a file, unpacked."""
    while data:
        one = zlib.decompressobj(31)
        yield one.decompress(data)
        data = one.unused_data


def test_both_archives_are_there(tmp_path):
    own = tmp_path / "initrd.gz"
    own.write_bytes(gzip.compress(pack([Entry("init", b"#!/bin/sh\n", 0o755)])))
    before = own.read_bytes()
    plain = Kernel(own)

    longer = with_files(plain, [Entry("guest", b"script", 0o755)], tmp_path / "longer")

    first, second = (list(parse(each)) for each in members(longer.initrd.read_bytes()))
    assert [each.path for each in first if not each.is_folder] == ["init"]
    assert [(each.path, each.content) for each in second] == [("guest", b"script")]
    assert (plain.initrd, own.read_bytes()) == (own, before)
    assert longer.image == plain.image
