"""The bisection and the minimiser, on U-Boot with a bug planted into its history."""

import os
import time
from pathlib import Path

import pytest
from planted_history import CHANGES, PlantedHistory

from ubtest.cli import main
from ubtest.firmware.bundle import bundles
from ubtest.firmware.folder import using
from ubtest.firmware.source import resolve
from ubtest.project import cache
from ubtest.recipe import load

pytestmark = pytest.mark.slow

RECIPE = """\
title: The second of two sticks does not probe
board: qemu-arm64
needs: [CMD_USB]
media:
  stick: {image: esp}
  disk: {image: esp}
devices:
  - {driver: usb-storage, medium: stick}
  - {driver: virtio-blk-pci, medium: disk}
  - {driver: usb-storage, medium: stick}
steps:
  - uboot: version
  - uboot: usb start
    save: start
  - uboot: usb tree
  - uboot: usb stop
expect:
  - output: '\\b2 Storage Device'
    in: start
symptom:
  - output: '\\b1 Storage Device'
    in: start
"""
ONE_STICK = next(at for at, each in enumerate(CHANGES, 1) if "one stick" in each.subject)
TWO_AGAIN = next(at for at, each in enumerate(CHANGES, 1) if "two sticks" in each.subject)


@pytest.fixture
def recipe(tmp_path) -> Path:
    path = tmp_path / "sticks.recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def history(monkeypatch):
    """What is built of it goes into a cache of its own: nobody else may find it there."""
    trees = [resolve(f"debian:{version}", print).tree for version in ("2025.01", "2023.01")]
    held = using("planted")
    monkeypatch.setenv("UBTEST_CACHE", str(cache() / "planted"))
    yield PlantedHistory(cache() / "history", *trees)
    if held is not None:
        os.close(held)


def bisect(recipe: Path, history: PlantedHistory, old: int, new: int, *more: str) -> int:
    return searched(recipe, history, f"{history.commits[old]}..{history.commits[new]}", *more)


def searched(recipe: Path, history: PlantedHistory, span: str, *more: str) -> int:
    return main(["repro", str(recipe), "--bisect", span, "--tree", str(history.repository), *more])


def test_the_first_bad_commit(history, recipe, capfd):
    """One commit before it does not build."""
    assert bisect(recipe, history, 0, ONE_STICK + 1) == 0
    out, err = capfd.readouterr()
    assert f"first bad commit: {history.commits[ONE_STICK][:12]} usb: one stick is enough" in out
    assert "skipped" in err
    assert "#error planted" in err
    assert "steps to go" in err


def test_commits_that_do_not_build_hide_what_mended_it(history, recipe, capfd):
    assert bisect(recipe, history, ONE_STICK, TWO_AGAIN + 1, "--first-fixed") == 2
    out = capfd.readouterr().out
    assert "one of 3" in out
    for at in (TWO_AGAIN - 1, TWO_AGAIN, TWO_AGAIN + 1):
        assert history.commits[at][:12] in out


def test_a_range_without_the_bug_is_refused(history, recipe, capfd):
    assert bisect(recipe, history, 0, 1) == 2
    assert "must show the bug" in capfd.readouterr().err


def test_the_second_time_nothing_is_built(history, recipe, capfd):
    assert bisect(recipe, history, 0, ONE_STICK) == 0
    made = {path: path.stat().st_ino for path in bundles().glob("*/*/manifest.json")}
    capfd.readouterr()
    assert bisect(recipe, history, 0, ONE_STICK) == 0
    assert {path: path.stat().st_ino for path in bundles().glob("*/*/manifest.json")} == made


def test_the_release_that_mended_a_known_bug(history, capfd):
    first, _, mended, last = history.releases
    twins = Path(__file__).parents[1] / "recipes" / "usb-twins.recipe.yaml"
    assert searched(twins, history, f"{first}..{last}", "--first-fixed") == 0
    out = capfd.readouterr().out
    assert f"first fixed commit: {mended[:12]} the newer release" in out


def test_a_recipe_becomes_smaller(history, recipe, tmp_path):
    """The two firmwares are built by the bisection, or were before."""
    assert bisect(recipe, history, 0, ONE_STICK) == 0
    found = [
        bundle
        for at in (ONE_STICK, 0)
        for bundle in bundles().glob("qemu-arm64/*")
        if history.commits[at] in (bundle / "manifest.json").read_text()
    ]
    small = tmp_path / "small.recipe.yaml"
    began = time.monotonic()
    firmware = ["--firmware", *map(str, found)]
    assert main(["repro", str(recipe), *firmware, "--minimise", "--out", str(small)]) == 0
    print(f"{time.monotonic() - began:.1f} s")
    left = load(small)
    assert [step.uboot for step in left.steps] == ["usb start"]
    assert [device.driver for device in left.devices] == ["usb-storage", "usb-storage"]
    assert list(left.media) == ["stick"]
