"""Recipes: what reproduces a bug, as data that people read and boards run."""

from ubtest.recipe.file import SUFFIX, dump, load
from ubtest.recipe.schema import Recipe

__all__ = ["SUFFIX", "Recipe", "dump", "load"]
