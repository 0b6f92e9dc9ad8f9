"""Recipes: what is written is read again, and reads well."""

from dataclasses import replace

import pytest
import yaml

from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle
from ubtest.fuzz import recipe as recipes
from ubtest.fuzz.case import Case
from ubtest.fuzz.finding import Finding, Kind, Sighting
from ubtest.fuzz.mutation import Mutation
from ubtest.fuzz.recipe import Recipe, Setting

CASE = Case(17, "signed", (Mutation("set", "outer HeaderSize", 7), Mutation("flip", "file", 99)))


@pytest.fixture
def setting(tmp_path) -> Setting:
    build = tmp_path / "build"
    build.mkdir()
    (build / "u-boot.bin").write_bytes(b"U-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)\0")
    (build / ".config").write_text('CONFIG_SYS_ARCH="sandbox"\n')
    return Setting("sandbox", Bundle.open(build), 4, "even")


@pytest.fixture
def finding() -> Finding:
    sighting = Sighting(Kind.CRASH, "Bus error at 0x100 and behind", "pkcs7-error-aborts")
    return Finding(sighting, CASE, b"bad capsule", "Bus error", alone=True)


def test_what_is_written_is_read_again(tmp_path, setting, finding):
    folder = tmp_path / "crash-17"
    recipes.write(folder, finding, b"good capsul", setting)
    for path in (folder, folder / "recipe.yaml"):
        recipe = Recipe.read(path)
        assert recipe.case == CASE
        assert (recipe.board, recipe.seed, recipe.mix) == ("sandbox", 4, "even")
        assert recipe.capsule.read_bytes() == b"bad capsule"
        assert recipe.finding == str(finding)


def test_a_smaller_capsule_takes_the_place_of_the_first(tmp_path, setting, finding):
    smaller = replace(finding, smallest=b"bad", needed=CASE.mutations[:1])
    recipes.write(tmp_path / "r", smaller, b"bed", setting)
    said = yaml.safe_load((tmp_path / "r" / "recipe.yaml").read_text())
    assert Recipe.read(tmp_path / "r").capsule.read_bytes() == b"bad"
    assert said["capsule"]["bytes other than the good one's"] == 1
    assert said["needed"] == [{"do": "set", "at": "outer HeaderSize", "arg": 7}]
    assert (tmp_path / "r" / "original.cap").read_bytes() == b"bad capsule"


def test_it_says_what_a_reader_needs(tmp_path, setting, finding):
    recipes.write(tmp_path / "r", finding, b"", setting)
    said = yaml.safe_load((tmp_path / "r" / "recipe.yaml").read_text())
    assert said["firmware"]["version"] == "2025.01"
    assert said["known bug"] == "pkcs7-error-aborts"
    assert said["replay"] == f"ubtest fuzz capsule --replay {tmp_path}/r/recipe.yaml"
    assert said["seen alone on a fresh board"] == "yes"


@pytest.mark.parametrize("text", ["", "[]", "a: [", "made of: {}", "made of: {mutations: 5}"])
def test_something_else_is_no_recipe(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(CaseError, match=r"is not a recipe"):
        Recipe.read(tmp_path)


def test_a_recipe_without_its_capsule_is_refused(tmp_path, setting, finding):
    recipes.write(tmp_path / "r", finding, b"", setting)
    (tmp_path / "r" / "original.cap").unlink()
    with pytest.raises(CaseError, match="is missing"):
        Recipe.read(tmp_path / "r")


def test_no_file_is_said(tmp_path):
    with pytest.raises(CaseError, match="cannot read"):
        Recipe.read(tmp_path / "none.yaml")
