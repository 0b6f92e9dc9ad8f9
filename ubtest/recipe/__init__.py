"""Recipes: what reproduces a bug, as data that people read and boards run."""

from ubtest.recipe.file import SUFFIX, dump, load
from ubtest.recipe.outcome import Held, Outcome, StepOutcome, Verdict
from ubtest.recipe.runner import run
from ubtest.recipe.schema import Recipe

__all__ = [
    "SUFFIX",
    "Held",
    "Outcome",
    "Recipe",
    "StepOutcome",
    "Verdict",
    "dump",
    "load",
    "run",
]
