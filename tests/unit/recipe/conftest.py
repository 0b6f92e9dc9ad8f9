"""Recipes as files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ubtest.recipe import Recipe, load

SHORT = """\
title: a bug
steps:
  - uboot: version
expect:
  - crash: false
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a recipe: a short one, with pairs of texts replaced and more added."""

    def written(*replacements: tuple[str, str], more: str = "", text: str = SHORT) -> Path:
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "my.recipe.yaml"
        path.write_text(text + more)
        return path

    return written


@pytest.fixture
def recipe(write: Callable[..., Path]) -> Callable[..., Recipe]:
    """The same, read."""
    return lambda *replacements, **named: load(write(*replacements, **named))
