"""Xen's log and `xl info`, as Debian's 4.17 prints them."""

import pytest

from ubtest.formats.record import FormatError
from ubtest.formats.xen import parse_info, parse_log

LOG = """\
(XEN) Checking for initrd in /chosen
(XEN) RAM: 0000000040000000 - 0000000065ffffff
(XEN) RAM: 0000000066100000 - 000000007fffffff
(XEN) 
(XEN) MODULE[0]: 000000007d401000 - 000000007d5370c8 Xen         
(XEN) MODULE[1]: 000000007d608000 - 000000007d60d000 Device Tree 
(XEN) MODULE[2]: 000000007b008000 - 000000007b492cb5 Ramdisk     
(XEN)  RESVD[0]: 0000000066200000 - 00000000663fffff
(XEN)  RESVD[1]: 0000000048000000 - 0000000048010000
(XEN) 
(XEN) Command line: xen console=dtuart
(XEN) Allocating 1:1 mappings totalling 512MB for dom0:
(XEN) BANK[0] 0x00000040000000-0x00000060000000 (512MB)
"""  # noqa: W291 (as Xen prints it)


def test_the_memory_that_xen_found():
    log = parse_log(LOG)
    assert log.ram == ((0x40000000, 0x66000000), (0x66100000, 0x80000000))
    assert log.dom0 == ((0x40000000, 0x60000000),)


def test_modules_have_their_own_size_also_an_odd_one():
    assert parse_log(LOG).modules == {
        "Xen": (0x7D401000, 0x7D5370C8),
        "Device Tree": (0x7D608000, 0x7D60D000),
        "Ramdisk": (0x7B008000, 0x7B492CB5),
    }


def test_reserved_memory_ends_with_its_last_byte_or_behind_it():
    """Xen prints entries in front of the tree in one way, nodes of /reserved-memory in another."""
    assert parse_log(LOG).kept == ((0x66200000, 0x66400000), (0x48000000, 0x48010000))


def test_a_log_whose_begin_was_overwritten():
    with pytest.raises(FormatError, match="no RAM"):
        parse_log(LOG.partition("MODULE")[2])


def test_xl_info():
    info = parse_info("host                   : (none)\nxen_version            : 4.17.5\n")
    assert info == {"host": "(none)", "xen_version": "4.17.5"}


def test_xl_without_xen():
    with pytest.raises(FormatError, match="no version"):
        parse_info("xencall: error: Could not obtain handle on privileged command interface\n")
