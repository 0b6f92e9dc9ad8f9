"""The steps of a recipe: what is done, one dataclass a kind, its first field names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from ubtest.media.declaration import Declared
from ubtest.recipe.devices import Device
from ubtest.recipe.term import (
    Term,
    each,
    line,
    nothing,
    of,
    one_of,
    regex,
    seconds,
    some_text,
    word,
    yes,
)

LONG = 60.0  # seconds that a step may take

Saved = Annotated[str, Term("a word", "a name for its output, for `in` and `of`", word)]
Limit = Annotated[float, Term("seconds", "that it may take; else 60", seconds)]


def _keys(declared: Declared) -> tuple[str | float, ...]:
    keys: tuple[str | float, ...] = each(_key)(declared)
    return keys


def _key(declared: Declared) -> str | float:
    if declared.node.tag in ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int"):
        return seconds(declared)
    return some_text(declared)


@dataclass(frozen=True)
class UBoot:
    """A line at U-Boot's prompt."""

    uboot: Annotated[str, Term("one line", "typed at U-Boot's prompt", line)]
    save: Saved = ""
    resets: Annotated[
        bool, Term("true or false", "whether it may reset the board; else false", yes)
    ] = False
    timeout: Limit = LONG


@dataclass(frozen=True)
class Find:
    """The board's own command that makes U-Boot look for its disk."""

    find: Annotated[
        Mapping[str, str],
        Term("`{}`", "U-Boot looks for its disk: `find` of the board file", nothing),
    ]
    save: Saved = ""


@dataclass(frozen=True)
class Menu:
    """A line that opens a menu."""

    menu: Annotated[
        str, Term("one line", "typed at the prompt; it draws a menu: bootmenu, eficonfig", line)
    ]
    until: Annotated[
        str, Term("a regular expression", "what its screen shows when it is drawn", regex)
    ] = ""
    save: Saved = ""
    timeout: Annotated[
        float, Term("seconds", "that each of its screens may take; else 10", seconds)
    ] = 10.0


@dataclass(frozen=True)
class Press:
    """Keys at a menu that is open."""

    press: Annotated[
        tuple[str | float, ...],
        Term('a list of keys ("\\e[B", "\\r") and pauses in seconds', "pressed at the menu", _keys),
    ]
    until: Annotated[
        str, Term("a regular expression", "what the screen must show after them", regex)
    ] = ""
    save: Saved = ""


@dataclass(frozen=True)
class LinuxStart:
    """How a kernel is started; see :class:`ubtest.lab.linux_boot.LinuxBoot`."""

    through: Annotated[
        str, Term("bootmgr or booti", "what starts it; else bootmgr", one_of("bootmgr", "booti"))
    ] = "bootmgr"
    arguments: Annotated[str, Term("one line", "of the kernel, after the board file's", line)] = ""
    tree: Annotated[
        tuple[str, ...],
        Term("a list of lines", "U-Boot commands that edit the device tree", each(line)),
    ] = ()
    commands: Annotated[
        tuple[str, ...], Term("a list of lines", "U-Boot commands before all that", each(line))
    ] = ()


@dataclass(frozen=True)
class Linux:
    """The start of the recipe's kernel."""

    linux: Annotated[
        LinuxStart,
        Term(
            "a mapping, perhaps empty", "the kernel starts", of(LinuxStart, "the start of a kernel")
        ),
    ]


@dataclass(frozen=True)
class Shell:
    """A line at Linux's prompt."""

    shell: Annotated[str, Term("one line", "run by Linux's shell, in a subshell of its own", line)]
    save: Saved = ""
    timeout: Limit = LONG


@dataclass(frozen=True)
class Plug:
    """A device put in while the board is on."""

    plug: Annotated[
        Device, Term("a device", "put in while the board is on", of(Device, "a device"))
    ]


@dataclass(frozen=True)
class Unplug:
    """A device taken out while the board is on."""

    unplug: Annotated[str, Term("the name of a device", "taken out while the board is on", word)]


@dataclass(frozen=True)
class Reset:
    """U-Boot's own reset."""

    reset: Annotated[
        Mapping[str, str], Term("`{}`", "the board resets, U-Boot's prompt is back", nothing)
    ]
    save: Saved = ""


@dataclass(frozen=True)
class PowerCycle:
    """Power off and on."""

    power_cycle: Annotated[
        Mapping[str, str], Term("`{}`", "power off and on, to U-Boot's prompt", nothing)
    ]
    save: Saved = ""


Step = UBoot | Find | Menu | Press | Linux | Shell | Plug | Unplug | Reset | PowerCycle

STEPS: dict[str, type[Any]] = {
    "uboot": UBoot,
    "find": Find,
    "menu": Menu,
    "press": Press,
    "linux": Linux,
    "shell": Shell,
    "plug": Plug,
    "unplug": Unplug,
    "reset": Reset,
    "power-cycle": PowerCycle,
}
