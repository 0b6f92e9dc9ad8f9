"""Leaves out of a recipe what the bug does not need, in as few runs as can be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ubtest.recipe.checks import problems
from ubtest.recipe.expectations import File, Status
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, Plug, Press, Unplug

T = TypeVar("T")
_SILENT = (Linux, Plug, Unplug)
# What may go: a section of the recipe and a place in it
Part = tuple[str, int]
OnRun = Callable[[int, int], None]


@dataclass(frozen=True)
class Minimised:
    """What is left.

    :param dropped: steps and devices that went.
    :param runs: how often the oracle was asked.
    """

    recipe: Recipe
    dropped: tuple[object, ...]
    runs: int


def minimise(
    recipe: Recipe, holds: Callable[[Recipe], bool], on_run: OnRun = lambda runs, parts: None
) -> Minimised:
    """The recipe without the steps, devices and media that its outcome does not need.

    No other step or device can go alone. What makes no recipe (an expectation reads the output of a
    step that went) is not run.

    :param holds: whether a recipe still shows the bug; the whole one does, and is not run.
    :param on_run: told before each run, which one it is and how many parts may still go.
    """
    asked: dict[tuple[Part, ...], bool] = {}

    def still(parts: Sequence[Part]) -> bool:
        key = tuple(parts)
        if key not in asked:
            candidate = _with(recipe, key)
            if next(problems(candidate), None) or not candidate.steps:
                return False
            on_run(len(asked) + 1, len(key))
            asked[key] = holds(candidate)
        return asked[key]

    # From the end: what is done to a device goes before the device
    parts = list(_parts(recipe))[::-1]
    kept = fewest(parts, still)
    dropped = tuple(_at(recipe, part) for part in reversed(parts) if part not in kept)
    return Minimised(_with(recipe, kept), dropped, len(asked))


def fewest(items: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> list[T]:
    """As few of the items as still hold, in their order; none of them can go alone.

    One goes first, then twice as many with each success. What could not go as a whole is
    halved, and when the rest of it went, the last one is needed without asking.
    """
    kept = list(items)
    while True:
        before = len(kept)
        kept = _once(kept, holds)
        if len(kept) in (0, before):
            return kept


def _once(kept: list[T], holds: Callable[[Sequence[T]], bool]) -> list[T]:
    at, size = 0, 1
    stuck = 0  # so many, from `at` on, cannot all go
    while at < len(kept):
        if stuck == 1:
            at, size, stuck = at + 1, 1, 0
            continue
        size = stuck // 2 or min(size, len(kept) - at)
        without = kept[:at] + kept[at + size :]
        if not holds(without):
            stuck = size
            continue
        kept = without
        if stuck:
            stuck -= size
        else:
            size *= 2
    return kept


def _parts(recipe: Recipe) -> Iterator[Part]:
    for at in range(len(recipe.devices)):
        yield "devices", at
    needed = set(_last_output(recipe)) if _reads_last(recipe) else set()
    for at in range(len(recipe.steps)):
        if at not in needed:
            yield "steps", at


def _last_output(recipe: Recipe) -> Iterator[int]:
    """Where the last output comes from: that of another step would answer another question."""
    for at, step in reversed(list(enumerate(recipe.steps))):
        if not isinstance(step, _SILENT):
            yield at
            if not isinstance(step, Press):  # keys may draw nothing
                return


def _reads_last(recipe: Recipe) -> bool:
    """Whether something is expected of the last output, by naming none."""
    return any(
        not (each.status.of if isinstance(each, Status) else each.in_)
        for each in (*recipe.expect, *recipe.symptom)
        if isinstance(each, Status) or hasattr(each, "in_")
    )


def _with(recipe: Recipe, kept: Sequence[Part]) -> Recipe:
    gone = set(_parts(recipe)) - set(kept)
    devices = tuple(d for at, d in enumerate(recipe.devices) if ("devices", at) not in gone)
    steps = tuple(s for at, s in enumerate(recipe.steps) if ("steps", at) not in gone)
    used = {device.medium for device in devices}
    used |= {step.plug.medium for step in steps if isinstance(step, Plug)}
    used |= {e.file.medium for e in (*recipe.expect, *recipe.symptom) if isinstance(e, File)}
    media = {name: medium for name, medium in recipe.media.items() if name in used}
    return replace(recipe, devices=devices, steps=steps, media=media)


def _at(recipe: Recipe, part: Part) -> object:
    section, at = part
    return getattr(recipe, section)[at]
