"""The terms of recipes as tables in Markdown, for docs/recipes.md."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from ubtest.recipe.declarations import CapsuleIs
from ubtest.recipe.devices import Device
from ubtest.recipe.expectations import EXPECTATIONS
from ubtest.recipe.schema import Machine, Medium, Recipe
from ubtest.recipe.steps import STEPS
from ubtest.recipe.term import Term, terms

MAPPINGS = {
    "recipe": Recipe,
    "medium": Medium,
    "capsule": CapsuleIs,
    "machine": Machine,
    "device": Device,
}


def tables() -> dict[str, str]:
    """Each table by what it is about."""
    found = {name: "\n".join(_mapping(name, kind)) for name, kind in MAPPINGS.items()}
    found["step"] = "\n".join(_kinds("step", STEPS))
    found["expectation"] = "\n".join(_kinds("expectation", EXPECTATIONS))
    return found


def _mapping(name: str, kind: type[Any]) -> Iterator[str]:
    yield from (f"| {name} | is | means |", "|---|---|---|")
    for key, (_, term) in terms(kind).items():
        yield _row(f"`{key}`", term)


def _kinds(name: str, kinds: Mapping[str, type[Any]]) -> Iterator[str]:
    """One row a kind; below them what these may have in them and beside them."""
    yield from (f"| {name} | is | means |", "|---|---|---|")
    said: dict[str, Term] = {}
    rest: list[str] = []
    for key, kind in kinds.items():
        own = terms(kind)
        term = own.pop(key)[1]
        more = f"; with {', '.join(f'`{other}`' for other in own)}" if own else ""
        yield _row(f"`{key}`", term, more)
        rest += [_row(f"`{other}` of `{key}`", inner) for other, inner in _inner(kind, key)]
        for other, (_, beside) in own.items():
            if said.get(other) != beside:
                of = f" of `{key}`" if other in said else ""
                rest.append(_row(f"`{other}`{of}", beside))
                said[other] = beside
    yield from rest


def _row(name: str, term: Term, more: str = "") -> str:
    return f"| {name} | {term.allowed} | {term.does}{more} |"


def _inner(kind: type[Any], key: str) -> Iterator[tuple[str, Term]]:
    """The terms of the mapping that a kind is; a device has a table of its own."""
    own = get_args(get_type_hints(kind, include_extras=True)[terms(kind)[key][0].name])[0]
    if isinstance(own, type) and is_dataclass(own) and own is not Device:
        yield from ((name, term) for name, (_, term) in terms(own).items())
