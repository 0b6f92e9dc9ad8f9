"""The first lines of a board's fragment: how its firmware is built."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.build import build
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.recipe import Recipe
from ubtest.firmware.source import Source
from ubtest.project import Project


@pytest.fixture
def header(
    source: Source, project: Project, certificate: Path
) -> Callable[..., Callable[[], Bundle]]:
    """Replaces the header of the fake board, and gives back its `build`."""

    def write(**lines: str) -> Callable[[], Bundle]:
        text = "".join(f"# {name}: {value}\n" for name, value in lines.items())
        (project.boards / "fake.config").write_text(f"{text}\nCONFIG_CMD_EFIDEBUG=y\n")
        return partial(
            build, "fake", source, project=project, certificate=certificate, fingerprint="abcd"
        )

    return write


@pytest.fixture
def prefix(compiler: Path) -> str:
    return str(compiler).removesuffix("gcc")


def test_native_is_the_compiler_of_this_machine(
    header, source: Source, project: Project, certificate: Path
) -> None:
    header(defconfig="fake_defconfig", compiler="native")
    recipe = Recipe.read(
        "fake", "", source, project=project, certificate=certificate, fingerprint="abcd"
    )
    assert recipe.compiler == ""
    assert "gcc" in recipe.compiler_version


def test_variables_reach_make(header, prefix: str, tree: Path) -> None:
    with (tree / "Makefile").open("a") as file:
        file.write("\nall: said\nsaid:\n\t@echo $(ONE)-$(TWO) > $(O)/said\n")
    bundle = header(defconfig="fake_defconfig", compiler=prefix, make="ONE=1 TWO=2", keep="said")()
    assert (bundle.path / "said").read_text() == "1-2\n"
    assert "said" in bundle.manifest["files"]


def test_a_file_to_keep_that_is_not_made_is_an_error(header, prefix: str) -> None:
    make = header(defconfig="fake_defconfig", compiler=prefix, keep="u-boot")
    with pytest.raises(CaseError, match="fake_defconfig makes no u-boot"):
        make()


def test_variables_and_kept_files_make_another_bundle(header, prefix: str) -> None:
    usual = {"defconfig": "fake_defconfig", "compiler": prefix}
    plain = header(**usual)().path
    assert header(**usual, make="ONE=1")().path != plain
    assert header(**usual, keep="runs")().path != plain
    assert header(**usual)().path == plain


def test_a_missing_cross_compiler_is_named(header) -> None:
    make = header(defconfig="fake_defconfig", compiler="no-such-")
    with pytest.raises(HostError, match="no-such-gcc` is missing"):
        make()
