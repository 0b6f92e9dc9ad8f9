"""What no single term of a recipe can know: names that are there, an order that makes sense."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.recipe.devices import WITH_MEDIUM, Device
from ubtest.recipe.expectations import BOOT, File, Status, Variable
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, Menu, Plug, PowerCycle, Press, Reset, Shell, Unplug

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """Something wrong.

    :param place: keys and indices from the top of the recipe, ("expect", 2).
    """

    place: Place
    what: str


def problems(recipe: Recipe) -> Iterator[Problem]:
    """All of them, in the order of the recipe."""
    yield from _devices(recipe)
    yield from _steps(recipe)
    yield from _expectations(recipe)


def saved(recipe: Recipe) -> list[str]:
    """The names of outputs."""
    return [name for step in recipe.steps if (name := getattr(step, "save", ""))]


def _devices(recipe: Recipe) -> Iterator[Problem]:
    inside: set[str] = set()
    for place, device in _plugged(recipe):
        yield from (Problem(place, what) for what in _device(device, recipe, inside))
        inside.add(device.known_as)


def _plugged(recipe: Recipe) -> Iterator[tuple[Place, Device]]:
    for n, device in enumerate(recipe.devices):
        yield ("devices", n), device
    for n, step in enumerate(recipe.steps):
        if isinstance(step, Plug):
            yield ("steps", n, "plug"), step.plug


def _device(device: Device, recipe: Recipe, inside: set[str]) -> Iterator[str]:
    if device.medium and device.driver not in WITH_MEDIUM:
        yield f"{device.driver} has no medium: one of {', '.join(WITH_MEDIUM)} has"
    if not device.medium and device.driver in WITH_MEDIUM:
        yield f"{device.driver} has a medium: {', '.join(recipe.media) or 'declare one in `media`'}"
    if device.medium and device.medium not in recipe.media:
        yield f"no medium `{device.medium}`: {_one_of(recipe.media)}"
    if device.driver == "storage" and (device.properties or device.to):
        yield "storage is the board's own way to a disk, without properties"


def _steps(recipe: Recipe) -> Iterator[Problem]:
    for name, count in Counter(saved(recipe)).items():
        if count > 1 or name == BOOT:
            yield Problem(("steps",), f"two outputs are called `{name}`")
    names = {device.known_as for _, device in _plugged(recipe)}
    under_linux = menu = False
    for n, step in enumerate(recipe.steps):
        place = ("steps", n)
        if isinstance(step, Linux) and not recipe.kernel:
            yield Problem(place, "no `kernel`: name one, such as debian:6.1")
        if isinstance(step, Unplug) and step.unplug not in names:
            yield Problem((*place, "unplug"), f"no device `{step.unplug}`: {_one_of(names)}")
        if isinstance(step, Press) and not menu:
            yield Problem(place, "no menu is open here: a step `menu` opens one")
        anywhere = isinstance(step, Plug | Unplug | PowerCycle)
        if not anywhere and under_linux is not isinstance(step, Shell):
            where = "Linux runs here" if under_linux else "Linux does not run here"
            yield Problem(
                place, f"{where}: {'shell' if under_linux else 'linux'} is the step for it"
            )
        under_linux = isinstance(step, Linux) or (under_linux and not isinstance(step, PowerCycle))
        menu = isinstance(step, Menu) or (menu and isinstance(step, Press | Plug | Unplug))
    if any(isinstance(step, Linux) for step in recipe.steps) and _resets(recipe):
        yield Problem(
            ("steps",), "a recipe with a kernel has one power-on: no reset, no power-cycle"
        )


def _resets(recipe: Recipe) -> bool:
    return any(isinstance(step, Reset | PowerCycle) for step in recipe.steps)


def _expectations(recipe: Recipe) -> Iterator[Problem]:
    outputs = {*saved(recipe), BOOT}
    under_linux = any(isinstance(step, Linux) for step in recipe.steps)
    for section in ("expect", "symptom"):
        for n, each in enumerate(getattr(recipe, section)):
            place = (section, n)
            name = each.status.of if isinstance(each, Status) else getattr(each, "in_", "")
            if name and name not in outputs:
                key: Place = ("status", "of") if isinstance(each, Status) else ("in",)
                yield Problem((*place, *key), f"no step saves `{name}`: {_one_of(outputs)}")
            if isinstance(each, File) and each.file.medium not in recipe.media:
                what = f"no medium `{each.file.medium}`: {_one_of(recipe.media)}"
                yield Problem((*place, "file", "medium"), what)
            if isinstance(each, Variable) and under_linux:
                yield Problem(place, "Linux runs at the end: read the variable by `shell`")
    if not recipe.expect:
        yield Problem(("expect",), "an empty list proves nothing: `- crash: false` is the least")


def _one_of(names: object) -> str:
    listed = sorted(map(str, names))  # type: ignore[call-overload]
    return f"one of {', '.join(listed)}" if listed else "there is none"
