"""Which firmware a report is tried on."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.progress import silent
from ubtest.project import Project
from ubtest.repro import choice
from ubtest.repro.board_file import BoardFile
from ubtest.repro.safety import Place

PROJECT = Project.find(Path(__file__))


def bundle(version, path, board="qemu-arm64", variant="", stale=False):
    return SimpleNamespace(
        version=version, path=Path(path), board=board, variant=variant, stale=stale
    )


@pytest.fixture
def cache(monkeypatch):
    """A cache with bundles, the one asked for last first; opened ones are their paths."""
    there = [
        bundle("2025.01", "/variant", variant="fit"),
        bundle("2025.01", "/stale", stale=True),
        bundle("2025.01", "/new"),
        bundle("2025.01", "/old"),
        bundle("2023.01", "/early"),
        bundle("2024.01", "/other", board="sandbox"),
    ]

    def current(each, project):
        if each.stale:
            raise CaseError("stale")

    monkeypatch.setattr(choice, "listing", lambda: there)
    monkeypatch.setattr(choice, "check_current", current)
    monkeypatch.setattr(choice.Bundle, "open", str)
    monkeypatch.setattr(choice, "built", lambda name, origin, *_: f"built {name} {origin}")
    return there


def chosen(*words, name="qemu-arm64"):
    return list(choice.chosen(name, words, PROJECT, silent))


def test_without_a_word_the_newest_of_each_version(cache):
    assert chosen() == ["/early", "/new"]


def test_a_version_that_is_not_there_is_built(cache):
    assert chosen("2023.01", "debian:2025.01") == ["/early", "/new"]
    assert chosen("2024.01") == ["built qemu-arm64 debian:2024.01"]


def test_a_path(cache, tmp_path):
    assert chosen(str(tmp_path)) == [str(tmp_path)]


def test_what_is_neither(cache):
    with pytest.raises(CaseError, match="neither a version nor a firmware"):
        chosen("newest")


def test_an_empty_cache(cache):
    cache.clear()
    with pytest.raises(HostError) as error:
        chosen()
    assert error.value.next_step == "ubtest firmware build qemu-arm64"


@pytest.mark.parametrize(("name", "place"), [("qemu-arm64", Place.COPIES), ("sandbox", Place.HOST)])
def test_where_the_commands_of_a_board_run(name, place):
    read = BoardFile.read(name, PROJECT)
    assert (read.place, read.firmware) == (place, name)


def test_any_other_driver_is_real_hardware(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("targets: {main: {drivers: [{SerialDriver: {}}]}}\n")
    assert BoardFile.read(str(path), PROJECT).place is Place.HARDWARE


@pytest.mark.parametrize("text", ["", "x", "targets: 3", "targets: {main: {drivers: {A: 1"])
def test_no_board_file(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(CaseError):
        BoardFile.read(str(path), PROJECT)
