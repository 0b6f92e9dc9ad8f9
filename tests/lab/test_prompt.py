"""A command's answer is exact on every kind of board."""

import pytest
from conftest import QEMU, SANDBOX

BOARDS = [  # and memory that nobody uses
    pytest.param((QEMU, 0x48000000), id="qemu"),
    pytest.param((SANDBOX, 0x1000000), id="sandbox", marks=pytest.mark.slow),
]


@pytest.fixture(params=BOARDS)
def uboot(request, lab):
    """A board at its prompt."""
    return lab(file=request.param[0]).boot()


@pytest.fixture
def memory(request) -> int:
    return request.node.callspec.params["uboot"][1]


def test_the_prompt_is_exact(uboot):
    assert uboot.command("echo '=> '").output == b"=> \r\n"
    assert uboot.command("false").status == 1
    assert uboot.command("setenv x 1; printenv x").text == "x=1"
    assert [uboot.command(f"echo {n}").text for n in range(100)] == [str(n) for n in range(100)]


def test_bytes_that_are_not_text_come_through(uboot, memory):
    """Memory printed as characters: every byte from 0x80 on, and controls."""
    uboot.check(f"mw.l {memory:x} 8180ff01; mw.l {memory + 4:x} 00")
    assert uboot.command(f'setexpr.s x *{memory:x}; echo "$x"').output == b"\x01\xff\x80\x81\r\n"
