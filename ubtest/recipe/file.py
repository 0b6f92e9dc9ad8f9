"""A recipe as a file, `NAME.recipe.yaml`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ubtest.errors import CaseError
from ubtest.media.declaration import Declared
from ubtest.project import Project
from ubtest.recipe.checks import problems
from ubtest.recipe.declarations import composed
from ubtest.recipe.schema import Recipe
from ubtest.recipe.term import plain, read

SUFFIX = ".recipe.yaml"
LARGEST = 1 << 20  # bytes


def load(path: Path) -> Recipe:
    """The recipe in a file.

    :raises CaseError: unreadable, not YAML, or not a recipe; names file, line, key and what is
        allowed.
    """
    return _recipe(Declared(path, _compose(path), Project.find(path)))


def check(recipe: Recipe) -> None:
    """Hold a recipe that was made by a program to all that a file is held to.

    :raises CaseError: names what is wrong, with the line that :func:`dump` gives it.
    """
    _recipe(composed(plain(recipe), Path(f"`{recipe.title}`"), Project(Path())))


def _recipe(declared: Declared) -> Recipe:
    recipe = read(declared, Recipe, "a recipe")
    for problem in problems(recipe):
        raise declared.below(_at(declared.node, problem.place)).wrong(problem.what)
    return recipe


def dump(recipe: Recipe) -> str:
    """The recipe as YAML; :func:`load` gives the same recipe."""
    return yaml.dump(plain(recipe), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Lists stand deeper than the key that they belong to, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _str(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _str)


def _compose(path: Path) -> yaml.Node:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise CaseError(f"{path} is larger than 1 MiB: not a recipe")
        node: Any = yaml.compose(raw.decode("utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"cannot read {path}: {error}", next_step="name a recipe") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", error)
        raise CaseError(f"{path}{line}: not YAML: {what}", next_step="correct it") from error
    if not isinstance(node, yaml.Node):
        raise CaseError(f"{path} is empty", next_step="docs/recipes.md says what a recipe is")
    return node


def _at(node: yaml.Node, place: Sequence[str | int]) -> yaml.Node:
    """The node at a place, or the last one on the way there: one value is a list of one."""
    for key in place:
        below = None
        if isinstance(node, yaml.MappingNode):
            below = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            below = node.value[key]
        node = node if below is None else below
    return node
