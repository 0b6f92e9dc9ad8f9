"""/proc/iomem as a tree."""

import pytest

from ubtest.formats.iomem import parse_iomem
from ubtest.formats.record import FormatError

TEXT = """\
09000000-09000fff : pl011@9000000
  09000000-09000fff : 9000000.pl011 pl011@9000000
40000000-5fffffff : System RAM
  40178000-40178fff : reserved
  4dd40000-4f38ffff : Kernel code
60000000-600fffff : reserved
"""


def test_what_is_inside_of_what():
    serial, ram, hole = parse_iomem(TEXT)
    assert [each.name for each in ram.inside] == ["reserved", "Kernel code"]
    assert (hole.start, hole.end, hole.inside) == (0x60000000, 0x60100000, [])
    assert [each.name for each in serial.walk()] == [
        "pl011@9000000",
        "9000000.pl011 pl011@9000000",
    ]


def test_nothing_is_nothing():
    assert parse_iomem("") == ()


@pytest.mark.parametrize("line", ["40000000 : System RAM", "    40000000-5fffffff : too deep"])
def test_another_form_is_an_error(line):
    with pytest.raises(FormatError):
        parse_iomem(line)


def test_what_others_than_root_see_is_an_error():
    with pytest.raises(FormatError, match="root"):
        parse_iomem("00000000-00000000 : System RAM\n  00000000-00000000 : reserved\n")
