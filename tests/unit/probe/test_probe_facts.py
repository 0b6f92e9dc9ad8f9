"""The probe's line: read when it is whole, an error when it is not."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.record import FormatError
from ubtest.probe.facts import parse_facts

FACTS = (
    "version=1;arch=aa64;nonce=abc;device=7fff0400;file=7fff0400;path=7fff0400;text=/HD(1)/\\X;"
    "options=6100;options-size=2;BootCurrent=0700;BootOrder=07000000;SecureBoot=00;"
    "tables=d521b6b19cf1a541830bd9152c69aae0;initrd=1000:deadbeef;vendor=Das%0020U-Boot;"
    "vendor-revision=20250100;uefi-revision=20064;ending=exit:0"
)


def line(facts: str = FACTS) -> str:
    return f"[UBTEST{{{facts}}}{len(facts):x}:{crc32(facts.encode()):08x}]"


def test_a_whole_line_among_others() -> None:
    (facts,) = parse_facts(f"Booting: x\r\n{line()}\r\n## Application failed, r = 1\n")
    assert (facts.nonce, facts.arch, facts.ending) == ("abc", "aa64", "exit:0")
    assert (facts.boot_current, facts.boot_order, facts.boot_next) == (7, (7, 0), None)
    assert (facts.secure_boot, facts.setup_mode) == (0, None)
    assert facts.options == b"a\0"
    assert facts.vendor == "Das U-Boot"
    assert facts.initrd is not None
    assert (facts.initrd.size, facts.initrd.crc32) == (0x1000, 0xDEADBEEF)


def test_two_probes_in_their_order() -> None:
    text = line() + "\nnext\n" + line(FACTS.replace("nonce=abc", "nonce=def"))
    assert [facts.nonce for facts in parse_facts(text)] == ["abc", "def"]


def test_nothing_is_nothing() -> None:
    assert parse_facts("=> bootefi bootmgr\nCannot load any image\n") == ()


@given(st.lists(st.integers(0, len(line()) - 1), max_size=5))
def test_a_terminal_may_wrap_the_line(breaks: list[int]) -> None:
    text = line()
    for at in sorted((at for at in breaks if at >= len("[UBTEST{")), reverse=True):
        text = text[:at] + "\r\n" + text[at:]
    assert [facts.nonce for facts in parse_facts(text)] == ["abc"]


@given(st.integers(len("[UBTEST{"), len(line()) - 1), st.characters(codec="ascii"))
def test_one_other_letter_is_never_believed(at: int, letter: str) -> None:
    text = line()
    if letter in (text[at], "\r", "\n"):
        return
    with pytest.raises(FormatError):
        parse_facts(text[:at] + letter + text[at + 1 :])


@given(st.integers(len("[UBTEST{"), len(line()) - 1))
def test_a_line_that_ends_early_is_never_believed(end: int) -> None:
    with pytest.raises(FormatError):
        parse_facts(line()[:end])


@pytest.mark.parametrize(
    "facts", ["version=1", FACTS + ";nonce=x", FACTS.replace("file=7fff", "file=zz"), ""]
)
def test_another_form_is_an_error(facts: str) -> None:
    with pytest.raises(FormatError):
        parse_facts(line(facts))
