"""Declarations of images inside of a recipe: the terms of images/, with capsules and without files
of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import yaml

from ubtest.media.declaration import CONTENT, IMAGE, PARTITION, Declared, Setting
from ubtest.project import Project
from ubtest.recipe.term import Read, Term, digits, guid_text, number, read, some_text, word

LARGEST = 64 << 20  # bytes of a capsule's image; it is held in memory


def _size(declared: Declared) -> int:
    found = number(declared)
    if not 0 <= found <= LARGEST:
        raise ValueError
    return found


@dataclass(frozen=True)
class CapsuleIs:
    """A capsule for the board, as the content of a file."""

    text: Annotated[str, Term("text", "the new firmware", some_text)] = ""
    hex: Annotated[str, Term("pairs of hex digits", "the new firmware", digits)] = ""
    size: Annotated[
        int, Term("at most 64 MiB in bytes", "the same again and again, up to this", _size)
    ] = 0
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
        """One of plain data."""
        return read(composed(data, Path("capsule"), Project(Path())), cls, "a capsule")


def declaration_of(declared: Declared) -> dict[str, Any]:
    """A declaration as it stands: its terms are checked, what it wants is not looked for.

    :raises CaseError: names file, line and what is allowed.
    """
    if not declared.settings(_IMAGE, "an image").get("partitions"):
        raise declared.wrong("an image has `partitions`")
    found: dict[str, Any] = _data(declared)
    return found


def composed(data: Any, path: Path, project: Project) -> Declared:
    """Plain data as it would be read from a file.

    :param path: how messages call it.
    """
    node: Any = yaml.compose(yaml.safe_dump(data, sort_keys=False), yaml.SafeLoader)
    return Declared(path, node, project)


def contents(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The contents of files in a declaration that may be wrong."""
    listed = found.get("partitions")
    for holder in (found, *(listed if isinstance(listed, list) else ())):
        files = holder.get("files") if isinstance(holder, Mapping) else None
        for content in files.values() if isinstance(files, Mapping) else ():
            if isinstance(content, dict):
                yield content


def _data(declared: Declared) -> Any:
    if isinstance(declared.node, yaml.MappingNode):
        return {name.text: _data(value) for name, value in declared.pairs()}
    if isinstance(declared.node, yaml.SequenceNode):
        return [_data(item) for item in declared.items()]
    return declared.text


def _with(table: tuple[Setting, ...], **readers: Read) -> tuple[Setting, ...]:
    """The table with other readers."""
    return tuple(replace(each, read=readers.get(each.name, each.read)) for each in table)


def _partitions(declared: Declared) -> list[dict[str, Any]]:
    return [each.settings(_PARTITION, "a partition") for each in declared.items()]


def _files(declared: Declared) -> None:
    for _, value in declared.pairs():
        kinds = value.settings(_CONTENT, "a file's content").keys() - {"nonce"}
        if len(kinds) != 1:
            names = ", ".join(each.name for each in _CONTENT)
            raise value.wrong(f"a file's content is one of {names}")


def _capsule(declared: Declared) -> CapsuleIs:
    return read(declared, CapsuleIs, "a capsule")


_CONTENT = (
    *(
        each
        for each in _with(CONTENT, bundle=some_text, kernel=some_text, probe=some_text)
        if each.name != "file"  # a recipe holds no paths of this machine
    ),
    Setting("capsule", "a mapping", "a capsule for the board", _capsule),
)
_PARTITION = _with(PARTITION, files=_files)
_IMAGE = _with(IMAGE, files=_files, partitions=_partitions)
