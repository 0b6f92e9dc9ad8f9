"""The probe is built the same every time, for three processors, and takes its orders."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.formats.pe import MACHINES, PeImage, truncated, with_machine
from ubtest.probe.build import TARGETS, build, probe
from ubtest.probe.orders import SLOT, Orders, told
from ubtest.project import Project

PROJECT = Project.find(Path(__file__))


@pytest.mark.parametrize("arch", TARGETS)
def test_each_processor_has_an_efi_application_of_a_few_kilobytes(arch: str) -> None:
    image = probe(arch, project=PROJECT)
    pe = PeImage.parse(image)
    assert (pe.machine, pe.kind, pe.coff.time) == (arch, "EFI application", 0)
    assert pe.end <= len(image) < 10_000
    assert image.count(SLOT) == 1


def test_a_second_build_elsewhere_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {arch: probe(arch, project=PROJECT) for arch in TARGETS}
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path))
    assert {arch: probe(arch, project=PROJECT) for arch in TARGETS} == here
    assert build(PROJECT).is_relative_to(tmp_path)


def test_orders_change_nothing_but_their_slot() -> None:
    plain = probe(project=PROJECT)
    image = probe(orders=Orders("abc", exit=14), project=PROJECT)
    start = plain.index(SLOT) + len(SLOT)
    assert image[start:].startswith(b"nonce=abc exit=e\0")
    assert (image[:start], image[start + 256 :]) == (plain[:start], plain[start + 256 :])


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        (Orders("a"), "nonce=a exit=0"),
        (Orders("a", exit=1 << 63 | 1), "nonce=a exit=8000000000000001"),
        (Orders("a", reset="warm"), "nonce=a reset=warm"),
        (Orders("a", hang=True), "nonce=a hang=1"),
    ],
)
def test_words(orders: Orders, words: str) -> None:
    assert orders.words == words
    assert orders.options == (words + "\0").encode("utf-16-le")


@pytest.mark.parametrize("nonce", ["", "a b", "x" * 64, "a;b", "ä"])
def test_a_nonce_that_the_line_cannot_carry(nonce: str) -> None:
    with pytest.raises(CaseError):
        Orders(nonce)


def test_another_image_is_not_told() -> None:
    with pytest.raises(CaseError):
        told(b"MZ", Orders("a"))


def test_no_such_processor_and_no_sources(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no probe for"):
        probe("vax", project=PROJECT)
    with pytest.raises(CaseError, match="no sources"):
        build(Project(tmp_path))


def test_breaking_a_program() -> None:
    image = probe(project=PROJECT)
    other = with_machine(image, MACHINES["x64"].code)
    assert PeImage.parse(other).machine == "x64"
    assert with_machine(other, MACHINES["aa64"].code) == image
    cut = truncated(image)
    assert image.startswith(cut)
    assert PeImage.parse(cut).end > len(cut)
