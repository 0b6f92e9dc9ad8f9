"""A recipe: what reproduces a bug, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from ubtest.media.declaration import Declared
from ubtest.recipe.declarations import contents, declaration_of
from ubtest.recipe.devices import Device
from ubtest.recipe.expectations import EXPECTATIONS, Expectation
from ubtest.recipe.steps import STEPS, Step
from ubtest.recipe.term import (
    Term,
    each,
    kind_of,
    matching,
    named,
    number,
    of,
    some_text,
    word,
    yes,
)

# no property that names a file of the host: `dumpdtb` would write one
MACHINE = re.compile(
    r"[\w.-]+(,(gic-version|iommu|virtualization|secure|mte|its|highmem|acpi|ras)=\w+)*"
)
CPU = re.compile(r"[\w.-]+(,[\w-]+=(on|off))*")


@dataclass(frozen=True)
class Medium:
    """What is in a disk."""

    image: Annotated[
        str, Term("the name of a file of images/", "an image that is declared there", word)
    ] = ""
    declaration: Annotated[
        Mapping[str, Any] | None,
        Term("an image as in images/", "one of its own, in the same terms", declaration_of),
    ] = None

    def __post_init__(self) -> None:
        if bool(self.image) is (self.declaration is not None):
            raise ValueError("a medium has one of image, declaration")
        if any("file" in content for content in contents(self.declaration or {})):
            raise ValueError("a file of this machine has no place in a recipe: text, hex, capsule")


def _clock(declared: Declared) -> int:
    found = number(declared)
    if not 0 <= found <= 10:
        raise ValueError
    return found


@dataclass(frozen=True)
class Machine:
    """How the machine differs from the board file's (QEMU)."""

    memory: Annotated[str, Term("MiB like 512M", "memory", matching(re.compile(r"\d{1,5}M")))] = ""
    smp: Annotated[int, Term("a number", "processors", number)] = 0
    cpu: Annotated[str, Term("a QEMU CPU", "the processor", matching(CPU))] = ""
    machine: Annotated[
        str, Term("virt and properties", "QEMU's -M, such as virt,gic-version=2", matching(MACHINE))
    ] = ""
    icount: Annotated[
        int | None,
        Term("0 to 10", "2**icount ns an instruction; else the host's clock", _clock),
    ] = None
    without: Annotated[
        tuple[str, ...],
        Term("a list of drivers", "devices of the board file that are left away", each(word)),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What reproduces a bug: a board with media and devices, steps, and what must be seen.

    :param expect: what a firmware without the bug does; all of it must hold.
    :param symptom: what the report shows; any of it is evidence.
    """

    title: Annotated[str, Term("text", "what a user sees", some_text)]
    from_: Annotated[str, Term("text", "where it comes from", some_text)] = ""
    known_bug: Annotated[
        str, Term("a name of known_bugs.yaml", "must fail on the versions that have this bug", word)
    ] = ""
    board: Annotated[
        tuple[str, ...], Term("a name or a list", "boards that it is for; else any", each(word))
    ] = ()
    variant: Annotated[
        str, Term("a word", "another build of the firmware, as the fixture `variant`", word)
    ] = ""
    needs: Annotated[
        tuple[str, ...],
        Term("a list", "as the marker `needs`", each(matching(re.compile(r"!?[\w-]+")))),
    ] = ()
    slow: Annotated[bool, Term("true or false", "as the marker `slow`; else false", yes)] = False
    kernel: Annotated[
        str, Term("an origin", "of `ubtest kernel list`, such as debian:6.1", some_text)
    ] = ""
    machine: Annotated[
        Machine,
        Term("a mapping", "how the machine differs from the board file", of(Machine, "a machine")),
    ] = Machine()
    media: Annotated[
        Mapping[str, Medium],
        Term("a mapping from names to media", "disks", named(of(Medium, "a medium"))),
    ] = field(default_factory=dict)
    devices: Annotated[
        tuple[Device, ...],
        Term(
            "a list of devices", "plugged before power-on, in order", each(of(Device, "a device"))
        ),
    ] = ()
    steps: Annotated[
        tuple[Step, ...], Term("a list of steps", "done in order", each(kind_of(STEPS, "a step")))
    ]
    expect: Annotated[
        tuple[Expectation, ...],
        Term(
            "a list of expectations",
            "what a firmware without the bug does: all hold",
            each(kind_of(EXPECTATIONS, "an expectation")),
        ),
    ]
    symptom: Annotated[
        tuple[Expectation, ...],
        Term(
            "a list of expectations",
            "what the report shows: any is evidence",
            each(kind_of(EXPECTATIONS, "a symptom")),
        ),
    ] = ()
