"""A text that answers a report: what was tried, where, what came of it, and the recipe."""

import textwrap
from collections.abc import Iterator, Sequence

from ubtest import __version__
from ubtest.console.transcript import printable
from ubtest.recipe.devices import Device
from ubtest.recipe.file import SUFFIX, dump
from ubtest.recipe.judge import told
from ubtest.recipe.outcome import Verdict
from ubtest.recipe.schema import Recipe
from ubtest.recipe.steps import Linux, Menu, Shell, UBoot
from ubtest.repro.verdict import Trial

WIDTH = 72  # what mail readers show when they have added their marks
_PROMPTS = {UBoot: "=> ", Menu: "=> ", Shell: "# "}


def reply(recipe: Recipe, trials: Sequence[Trial], left_out: Sequence[str] = ()) -> str:
    """The mail's body.

    :param left_out: what of the report is not in the recipe, and why.
    """
    lines = [*_body(recipe, trials, left_out), *_attached(recipe)]
    return printable("\n".join(lines).encode()) + "\n"


def _body(recipe: Recipe, trials: Sequence[Trial], left_out: Sequence[str]) -> Iterator[str]:
    yield from _filled(summary(trials))
    yield ""
    yield from _filled(
        f"Tried with ubtest {__version__} on {' or '.join(recipe.board) or 'a board'}:"
    )
    yield ""
    for each in trials:
        yield from _filled(f"{each.firmware}: {each.verdict.value}", "  ")
        for line in each.reason.splitlines():
            yield from _filled(line, "    ")
        yield ""
    yield "What was done:"
    yield ""
    yield from (f"    {line}" for line in done(recipe))
    if left_out:
        yield ""
        yield "What is not as in the report:"
        yield ""
        for line in left_out:
            yield from _filled(line, "  - ", "    ")


def summary(trials: Sequence[Trial]) -> str:
    """All verdicts in one sentence."""
    said = []
    for verdict in Verdict:
        if versions := [each.version for each in trials if each.verdict is verdict]:
            said.append(f"{verdict.value} on {', '.join(versions)}")
    text = "; ".join(said) or "not tried"
    return f"{text[0].upper()}{text[1:]}."


def done(recipe: Recipe) -> Iterator[str]:
    """Devices and steps as a person would write them."""
    yield from (_device(each) for each in recipe.devices)
    for step in recipe.steps:
        if isinstance(step, Linux):
            yield from (f"=> {line}" for line in step.linux.commands)
            yield from (f"=> {line}" for line in step.linux.tree)
            yield f"(boots Linux {recipe.kernel} {step.linux.arguments}".rstrip() + ")"
        elif prompt := _PROMPTS.get(type(step)):
            yield prompt + told(step)
        else:
            yield f"({told(step)})"


def _device(device: Device) -> str:
    said = ",".join(f"{name}={value}" for name, value in device.properties.items())
    where = f" in {device.to}" if device.to else ""
    return f"(plugged: {device.driver}{',' if said else ''}{said}{where})"


def _attached(recipe: Recipe) -> Iterator[str]:
    yield ""
    yield from _filled("The recipe, for `ubtest repro FILE`, or for pytest:")
    yield ""
    yield f"--- 8< --- {file_name(recipe)}"
    yield from dump(recipe).splitlines()
    yield "--- >8 ---"


def file_name(recipe: Recipe) -> str:
    """A name for the recipe's file."""
    words = "".join(char if char.isalnum() and char.isascii() else " " for char in recipe.title)
    return "-".join(words.lower().split()[:6])[:60] + SUFFIX


def _filled(text: str, first: str = "", then: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if then is None else then,
        break_long_words=False,
        break_on_hyphens=False,
    )
