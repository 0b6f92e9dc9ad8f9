"""A term of a recipe: a field of a dataclass, annotated with its place in YAML.

The dataclass is the only table: reading, writing, messages and docs/recipes.md follow from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.media.declaration import Declared, Setting

T = TypeVar("T")
Read = Callable[[Declared], Any]
Kinds = Mapping[str, type[Any]]

WORD = re.compile(r"[A-Za-z0-9][\w.+:-]{0,79}")
NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Term:
    """The annotation of a field that stands in a recipe.

    :param allowed: what may stand there, as messages and the document say it.
    :param does: what it means.
    :param read: makes the value; a ValueError says only that it is not allowed.
    """

    allowed: str
    does: str
    read: Read


@dataclass(frozen=True)
class Others:
    """The annotation of the field, a mapping, that takes what no other field is for."""

    does: str
    table: tuple[Setting, ...]


def terms(kind: type[Any]) -> dict[str, tuple[Field[Any], Term]]:
    """The fields of a recipe's dataclass by their keys in YAML; `is` and `in` are no names in
    Python."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in fields(kind):
        for each in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(each, Term):
                key = field.name.rstrip("_").replace("power_cycle", "power-cycle")
                found[key] = field, each
    return found


def _others(kind: type[Any]) -> tuple[str, Others] | None:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for each in getattr(hint, "__metadata__", ()):
            if isinstance(each, Others):
                return name, each
    return None


def read(declared: Declared, kind: type[T], what: str) -> T:
    """A value of a recipe's dataclass from a mapping.

    :raises CaseError: with file, line, key and what is allowed.
    """
    own, rest = terms(kind), _others(kind)
    table = [Setting(key, each.allowed, each.does, each.read) for key, (_, each) in own.items()]
    values = declared.settings((*table, *(rest[1].table if rest else ())), what)
    for key, (field, each) in own.items():
        if _required(field) and key not in values:
            raise declared.wrong(f"{what} has `{key}`: {each.allowed}")
    arguments = {own[key][0].name: value for key, value in values.items() if key in own}
    if rest:
        arguments[rest[0]] = {key: value for key, value in values.items() if key not in own}
    try:
        return kind(**arguments)
    except ValueError as error:
        raise declared.wrong(str(error)) from error


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def plain(value: Any) -> Any:
    """A value as YAML has it, without what is the default."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        found: dict[str, Any] = {}
        for key, (field, _) in terms(kind).items():
            own = getattr(value, field.name)
            if _required(field) or own not in (field.default, {}):
                found[key] = plain(own)
        rest = _others(kind)
        return found | plain(getattr(value, rest[0])) if rest else found
    if isinstance(value, Mapping):
        return {name: plain(own) for name, own in value.items()}
    if isinstance(value, tuple | list):
        return [plain(own) for own in value]
    return value


# how a value is read


def some_text(declared: Declared) -> str:
    """Any scalar but an empty one."""
    if not declared.text or declared.node.tag == NULL:
        raise ValueError
    return declared.text


def anything(declared: Declared) -> str:
    """Any scalar."""
    return declared.text


def line(declared: Declared) -> str:
    """Text without an end of line."""
    found = some_text(declared)
    if "\n" in found or "\r" in found:
        raise ValueError
    return found


def word(declared: Declared) -> str:
    """A name."""
    return _matched(WORD, declared)


def matching(pattern: re.Pattern[str]) -> Read:
    return lambda declared: _matched(pattern, declared)


def _matched(pattern: re.Pattern[str], declared: Declared) -> str:
    if not pattern.fullmatch(declared.text):
        raise ValueError
    return declared.text


def regex(declared: Declared) -> str:
    """A regular expression, ^ and $ at every line."""
    found = some_text(declared)
    try:
        re.compile(found, re.MULTILINE)
    except re.error as error:
        raise declared.wrong(f"`{found}` is no regular expression: {error}") from error
    return found


def yes(declared: Declared) -> bool:
    return {"true": True, "false": False}[one_of("true", "false")(declared)]


def number(declared: Declared) -> int:
    return int(declared.text, 0)


def seconds(declared: Declared) -> float:
    found = float(declared.text)
    if not 0 < found <= 3600:
        raise ValueError
    return found


def digits(declared: Declared) -> str:
    """Pairs of hex digits."""
    return bytes.fromhex(declared.text).hex()


def guid_text(declared: Declared) -> str:
    try:
        return str(Guid.of(declared.text))
    except FormatError:
        raise ValueError from None


def one_of(*allowed: str) -> Read:
    def read(declared: Declared) -> str:
        if declared.text not in allowed:
            raise ValueError
        return declared.text

    return read


def each(one: Read) -> Read:
    """A list; one value alone is a list of one."""

    def read(declared: Declared) -> tuple[Any, ...]:
        try:
            items = declared.items()
        except ValueError:
            return (one(declared),)
        return tuple(map(one, items))

    return read


def nothing(declared: Declared) -> dict[str, str]:
    """`{}`, where a key says all."""
    if declared.pairs():
        raise ValueError
    return {}


def named(one: Read) -> Read:
    """A mapping from names to values."""

    def read(declared: Declared) -> dict[str, Any]:
        return {word(name): one(value) for name, value in declared.pairs()}

    return read


def of(kind: type[Any], what: str) -> Read:
    """A mapping that is a dataclass."""
    return lambda declared: read(declared, kind, what)


def kind_of(kinds: Kinds, what: str) -> Read:
    """A mapping whose kind is one of its keys."""

    def choose(declared: Declared) -> Any:
        try:
            names = [name.text for name, _ in declared.pairs() if name.text in kinds]
        except ValueError:
            names = []
        if len(names) != 1:
            raise declared.wrong(f"{what} has one of {', '.join(kinds)}")
        return read(declared, kinds[names[0]], f"{what} `{names[0]}`")

    return choose
