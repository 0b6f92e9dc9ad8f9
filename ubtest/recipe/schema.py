"""A recipe: what reproduces a bug, as data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml

from ubtest.media.declaration import Declared
from ubtest.project import Project
from ubtest.recipe.devices import Device
from ubtest.recipe.expectations import EXPECTATIONS, Expectation
from ubtest.recipe.steps import STEPS, Step
from ubtest.recipe.term import (
    Term,
    digits,
    each,
    guid_text,
    kind_of,
    matching,
    named,
    number,
    of,
    read,
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
class CapsuleIs:
    """A capsule for the board, as the content of a file."""

    text: Annotated[str, Term("text", "the new firmware", some_text)] = ""
    hex: Annotated[str, Term("pairs of hex digits", "the new firmware", digits)] = ""
    size: Annotated[int, Term("bytes", "the same again and again, up to this", number)] = 0
    key: Annotated[str, Term("a key of keys/keyring.yaml, or none", "signs it", word)] = "trusted"
    version: Annotated[int | None, Term("a number", "fw_version; else no header", number)] = None
    type: Annotated[str, Term("a GUID", "else the board's image type", guid_text)] = ""
    index: Annotated[int, Term("a number", "else the board's image index", number)] = 0
    guid: Annotated[str, Term("a GUID", "CapsuleGuid; else that of FMP capsules", guid_text)] = ""

    def __post_init__(self) -> None:
        if bool(self.text) is bool(self.hex):
            raise ValueError("a capsule has one of text, hex")

    @classmethod
    def of(cls, data: Any) -> "CapsuleIs":
        """What :class:`Medium` has checked."""
        return read(composed(data, Path("capsule"), Project(Path())), cls, "a capsule")


def composed(data: Any, path: Path, project: Project) -> Declared:
    """Plain data as it would be read from a file.

    :param path: how messages call it.
    """
    node: Any = yaml.compose(yaml.safe_dump(data, sort_keys=False), yaml.SafeLoader)
    return Declared(path, node, project)


def contents(declaration: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The contents of files in a declaration that may be wrong."""
    listed = declaration.get("partitions")
    for holder in (declaration, *(listed if isinstance(listed, list) else ())):
        files = holder.get("files") if isinstance(holder, Mapping) else None
        for content in files.values() if isinstance(files, Mapping) else ():
            if isinstance(content, dict):
                yield content


def _declaration(declared: Declared) -> dict[str, Any]:
    """The declaration as it stands; who makes the image reads it."""
    if not isinstance(declared.node, yaml.MappingNode):
        raise ValueError
    found: dict[str, Any] = _data(declared)
    return found


def _data(declared: Declared) -> Any:
    if isinstance(declared.node, yaml.MappingNode):
        for name, value in declared.pairs():
            if name.text == "capsule":
                read(value, CapsuleIs, "a capsule")
        return {name.text: _data(value) for name, value in declared.pairs()}
    if isinstance(declared.node, yaml.SequenceNode):
        return [_data(item) for item in declared.items()]
    return declared.text


@dataclass(frozen=True)
class Medium:
    """What is in a disk."""

    image: Annotated[
        str, Term("the name of a file of images/", "an image that is declared there", word)
    ] = ""
    declaration: Annotated[
        Mapping[str, Any] | None,
        Term("an image as in images/", "one of its own, in the same terms", _declaration),
    ] = None

    def __post_init__(self) -> None:
        if bool(self.image) is (self.declaration is not None):
            raise ValueError("a medium has one of image, declaration")
        if any("file" in content for content in contents(self.declaration or {})):
            raise ValueError("a file of this machine has no place in a recipe: text, hex, capsule")


@dataclass(frozen=True)
class Machine:
    """How the machine differs from the board file's (QEMU)."""

    memory: Annotated[str, Term("MiB like 512M", "memory", matching(re.compile(r"\d{1,5}M")))] = ""
    smp: Annotated[int, Term("a number", "processors", number)] = 0
    cpu: Annotated[str, Term("a QEMU CPU", "the processor", matching(CPU))] = ""
    machine: Annotated[
        str, Term("virt and properties", "QEMU's -M, such as virt,gic-version=2", matching(MACHINE))
    ] = ""
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
