"""`keys/keyring.yaml`: which keys there shall be, before any of them exists."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ubtest.errors import CaseError

ALGORITHMS = ("rsa",)
BITS = (2048, 3072, 4096)
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")  # becomes a file name


@dataclass(frozen=True)
class Declaration:
    """One declared key.

    :param subject: the common name in its certificate.
    :param days: how long the certificate is valid.
    :param trusted: the firmware under test is built with its certificate.
    :param purpose: what the key is for, in one line.
    """

    name: str
    algorithm: str
    bits: int
    subject: str
    days: int
    trusted: bool
    purpose: str


FIELDS: dict[str, type] = {
    name: kind for name, kind in Declaration.__annotations__.items() if name != "name"
}


def read_declarations(path: Path) -> tuple[Declaration, ...]:
    """The keys that a file declares, in its order.

    :raises CaseError: unreadable, not YAML or not a key ring; names the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"cannot read {path}: {error}") from error
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise _wrong(path, root, "must be a mapping from key names to their declarations")
        return tuple(_declaration(path, loader, key, value) for key, value in _unique(path, root))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise CaseError(f"{path}{line}: not YAML: {getattr(error, 'problem', error)}") from error
    finally:
        loader.dispose()


def _declaration(path: Path, loader: yaml.SafeLoader, key: Any, body: Any) -> Declaration:
    name = key.value
    if not NAME.fullmatch(name):
        raise _wrong(path, key, "a key's name consists of a-z, 0-9 and -")
    if not isinstance(body, yaml.MappingNode):
        raise _wrong(path, body, f"{name}: must be a mapping of {', '.join(FIELDS)}")
    values: dict[str, Any] = {}
    for field, node in _unique(path, body):
        if field.value not in FIELDS:
            raise _wrong(path, field, f"{name}: {field.value!r} is not one of {', '.join(FIELDS)}")
        value = loader.construct_document(node)
        if type(value) is not FIELDS[field.value]:
            kind = FIELDS[field.value].__name__
            raise _wrong(path, node, f"{name}: {field.value} must be of type {kind}")
        _check(path, node, f"{name}: {field.value}", field.value, value)
        values[field.value] = value
    if missing := [field for field in FIELDS if field not in values]:
        raise _wrong(path, key, f"{name}: lacks {', '.join(missing)}")
    return Declaration(name, **values)


def _check(path: Path, node: Any, what: str, field: str, value: Any) -> None:
    choices: dict[str, tuple[Any, ...]] = {"algorithm": ALGORITHMS, "bits": BITS}
    if field in choices and value not in choices[field]:
        allowed = ", ".join(map(str, choices[field]))
        raise _wrong(path, node, f"{what} must be one of {allowed}, not {value}")
    if field == "days" and not 0 < value <= 36500:
        raise _wrong(path, node, f"{what} must be from 1 to 36500, not {value}")
    if field == "subject" and not 0 < len(value) <= 64:
        raise _wrong(path, node, f"{what} must have 1 to 64 characters")


def _unique(path: Path, mapping: yaml.MappingNode) -> list[tuple[Any, Any]]:
    """The pairs of a mapping; YAML itself would silently take the last of two equal keys."""
    seen = set()
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key, "a list or mapping cannot be a name")
        if key.value in seen:
            raise _wrong(path, key, f"{key.value!r} stands there twice")
        seen.add(key.value)
    return list(mapping.value)


def _wrong(path: Path, node: Any, what: str) -> CaseError:
    line = node.start_mark.line + 1 if node is not None else 1
    return CaseError(f"{path}:{line}: {what}", next_step=f"correct {path.name}")
