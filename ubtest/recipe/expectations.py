"""What a recipe expects to see, one dataclass a kind; the same kinds say what a symptom is."""

from dataclasses import dataclass
from typing import Annotated, Any

from ubtest.recipe.term import (
    Term,
    anything,
    digits,
    guid_text,
    number,
    of,
    one_of,
    regex,
    some_text,
    word,
    yes,
)

BOOT = "boot"  # the name of what U-Boot printed when the power came on


Where = Annotated[
    str, Term("a name that a step saved, or boot", "else the last step's output", word)
]


@dataclass(frozen=True)
class Output:
    """The output of a step matches."""

    output: Annotated[
        str, Term("a regular expression", "is found in the output; ^ and $ per line", regex)
    ]
    in_: Where = ""


@dataclass(frozen=True)
class Absent:
    """Nothing in the output of a step matches."""

    absent: Annotated[str, Term("a regular expression", "is not found in the output", regex)]
    in_: Where = ""


@dataclass(frozen=True)
class CountIs:
    """How often."""

    regex: Annotated[str, Term("a regular expression", "what is counted", regex)]
    is_: Annotated[int, Term("a number", "how often it is found", number)]


@dataclass(frozen=True)
class Count:
    """So many matches are in the output of a step."""

    count: Annotated[
        CountIs, Term("{regex, is}", "found so often in the output", of(CountIs, "a count"))
    ]
    in_: Where = ""


@dataclass(frozen=True)
class StatusIs:
    """The return code of a step."""

    is_: Annotated[int, Term("a number", "the return code", number)]
    of: Annotated[str, Term("a name that a step saved", "else the last step", word)] = ""


@dataclass(frozen=True)
class Status:
    """A step returned this."""

    status: Annotated[StatusIs, Term("{is, of}", "what a step returned", of(StatusIs, "a status"))]


@dataclass(frozen=True)
class VariableIs:
    """A UEFI variable, read at U-Boot's prompt after the last step."""

    name: Annotated[str, Term("a word", "of the variable", word)]
    guid: Annotated[str, Term("a GUID", "else that of global variables", guid_text)] = ""
    exists: Annotated[bool, Term("true or false", "whether there is one; else true", yes)] = True
    data: Annotated[str, Term("pairs of hex digits", "its value", digits)] = ""


@dataclass(frozen=True)
class Variable:
    """A UEFI variable is so."""

    variable: Annotated[
        VariableIs,
        Term("{name, guid, exists, data}", "a UEFI variable", of(VariableIs, "a variable")),
    ]


_CHANGE = one_of("unchanged", "changed")


@dataclass(frozen=True)
class FlashIs:
    """The flash chip that capsules update, read behind the firmware's back."""

    image: Annotated[
        str, Term("unchanged or changed", "the region that capsules update", _CHANGE)
    ] = ""
    outside: Annotated[str, Term("unchanged or changed", "all the rest of the chip", _CHANGE)] = ""
    text: Annotated[str, Term("text", "what the region starts with", some_text)] = ""
    hex: Annotated[str, Term("pairs of hex digits", "what the region starts with", digits)] = ""


@dataclass(frozen=True)
class Flash:
    """The flash is so, against what it was before power-on."""

    flash: Annotated[
        FlashIs, Term("{image, outside, text, hex}", "the flash", of(FlashIs, "a flash"))
    ]


@dataclass(frozen=True)
class FileIs:
    """A file of a medium, read by another program than U-Boot."""

    medium: Annotated[str, Term("a name of `media`", "where it is", word)]
    path: Annotated[str, Term("a path", "from the root, with /", some_text)]
    partition: Annotated[int, Term("a number", "from 1, which is the default", number)] = 1
    exists: Annotated[bool, Term("true or false", "whether there is one; else true", yes)] = True
    text: Annotated[str | None, Term("text", "all that is in it", anything)] = None
    hex: Annotated[str | None, Term("pairs of hex digits", "all that is in it", digits)] = None


@dataclass(frozen=True)
class File:
    """A file on a medium is so."""

    file: Annotated[
        FileIs,
        Term(
            "{medium, partition, path, exists, text, hex}",
            "a file on a medium",
            of(FileIs, "a file"),
        ),
    ]


@dataclass(frozen=True)
class Crash:
    """The firmware or kernel crashed, reset unasked, or did not return."""

    crash: Annotated[
        bool,
        Term(
            "true or false", "a crash, a reset that nobody asked for, or a command that hangs", yes
        ),
    ]


Expectation = Output | Absent | Count | Status | Variable | Flash | File | Crash

EXPECTATIONS: dict[str, type[Any]] = {
    "output": Output,
    "absent": Absent,
    "count": Count,
    "status": Status,
    "variable": Variable,
    "flash": Flash,
    "file": File,
    "crash": Crash,
}
