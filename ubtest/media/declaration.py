"""images/*.yaml: a disk image as a declaration.

One table per level says what may stand there; reading, messages and docs/images.md follow from it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ubtest.errors import CaseError
from ubtest.firmware.bundle import find
from ubtest.kernel import bundle as kernel
from ubtest.media.damage import DAMAGES
from ubtest.media.spec import KINDS, Image, Partition
from ubtest.probe.build import TARGETS, probe
from ubtest.probe.orders import Orders
from ubtest.project import Project

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SIZE = re.compile(r"(\d{1,12})([KMG]?)")
LARGEST_FILE = 256 << 20  # bytes of a declaration's file; they are held in memory
LARGEST_YAML = 1 << 20

KERNEL_FILES = {"Image": "image", "initrd": "initrd"}  # name in a declaration -> in the bundle

Read = Callable[["Declared"], Any]


@dataclass(frozen=True)
class Setting:
    """One key of a declaration.

    :param allowed: what may stand there, as message and document say it.
    :param read: makes a value of it; a ValueError says only that it is not allowed.
    """

    name: str
    allowed: str
    does: str
    read: Read


@dataclass(frozen=True)
class Declared:
    """One node of a YAML file, with the file it is in."""

    path: Path
    node: yaml.Node
    project: Project

    @property
    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            raise ValueError
        return str(self.node.value)

    def below(self, node: yaml.Node) -> "Declared":
        return Declared(self.path, node, self.project)

    def wrong(self, what: str) -> CaseError:
        line = self.node.start_mark.line + 1
        return CaseError(f"{self.path}:{line}: {what}", next_step=f"correct {self.path.name}")

    def pairs(self) -> list[tuple["Declared", "Declared"]]:
        """The pairs of a mapping; YAML itself would silently take the last of two equal keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise ValueError
        pairs = [(self.below(key), self.below(value)) for key, value in self.node.value]
        seen: set[str] = set()
        for key, _ in pairs:
            if not isinstance(key.node, yaml.ScalarNode):
                raise key.wrong("a list or mapping cannot be a name")
            if key.text in seen:
                raise key.wrong(f"{key.text!r} stands there twice")
            seen.add(key.text)
        return pairs

    def items(self) -> list["Declared"]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise ValueError
        return [self.below(node) for node in self.node.value]

    def settings(self, table: tuple[Setting, ...], what: str) -> dict[str, Any]:
        """The values of a mapping by a table of settings."""
        known = {each.name: each for each in table}
        try:
            pairs = self.pairs()
        except ValueError:
            raise self.wrong(f"{what} is a mapping of {', '.join(known)}") from None
        values = {}
        for key, value in pairs:
            if key.text not in known:
                raise key.wrong(f"{key.text!r} is not one of {', '.join(known)}")
            setting = known[key.text]
            try:
                values[setting.name] = setting.read(value)
            except ValueError:
                raise value.wrong(f"{setting.name} must be {setting.allowed}") from None
        return values


def read_image(path: Path, project: Project) -> Image:
    """The image that a file declares, its contents read.

    :raises CaseError: unreadable, not YAML, or not an image; names file, line and what is allowed.
    :raises HostError: a probe, bundle or kernel that it wants cannot be had.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_YAML + 1)
        if len(raw) > LARGEST_YAML:
            raise CaseError(f"{path} is larger than 1 MiB: not a declaration")
        node = yaml.compose(raw.decode("utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"cannot read {path}: {error}") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise CaseError(f"{path}{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if node is None:
        raise CaseError(f"{path} is empty")
    return image_in(Declared(path, node, project), path.stem)


def image_in(declared: Declared, identity: str) -> Image:
    """The image that a node declares, its contents read; raises as :func:`read_image`.

    :param identity: where it gives none itself.
    """
    values = declared.settings(IMAGE, "an image")
    if not values.get("partitions"):
        raise declared.wrong("an image has `partitions`")
    return Image(**{"identity": identity, **values})


def _size(declared: Declared) -> int:
    found = SIZE.fullmatch(declared.text)
    if not found or not int(found[1]):
        raise ValueError
    return int(found[1]) * UNITS[found[2]]


def _one_of(*allowed: str) -> Read:
    def read(declared: Declared) -> str:
        if declared.text not in allowed:
            raise ValueError
        return declared.text

    return read


def _fat(declared: Declared) -> int | None:
    return {"12": 12, "16": 16, "32": 32, "none": None}[_one_of("12", "16", "32", "none")(declared)]


def _damages(declared: Declared) -> tuple[str, ...]:
    return tuple(_one_of(*DAMAGES)(each) for each in declared.items())


def _partitions(declared: Declared) -> tuple[Partition, ...]:
    values = [each.settings(PARTITION, "a partition") for each in declared.items()]
    return tuple(Partition(**each) for each in values)


def _files(declared: Declared) -> Mapping[str, bytes]:
    return {name.text: _content(value) for name, value in declared.pairs()}


def _content(declared: Declared) -> bytes:
    values = declared.settings(CONTENT, "a file's content")
    kinds = [name for name in values if name != "nonce"]
    if len(kinds) != 1 or ("nonce" in values and kinds != ["probe"]):
        names = ", ".join(each.name for each in CONTENT)
        raise declared.wrong(f"a file's content is one of {names}; nonce goes with probe")
    if "nonce" in values:
        return probe(values["probe"][0], Orders(values["nonce"]), project=declared.project)
    value = values[kinds[0]]
    return probe(value[0], project=declared.project) if kinds == ["probe"] else value


def _host_file(declared: Declared) -> bytes:
    return _held(declared, declared.path.parent / declared.text)


def _of_bundle(declared: Declared) -> bytes:
    board, slash, name = declared.text.partition("/")
    if not slash or ".." in Path(name).parts or Path(name).is_absolute():
        raise ValueError
    return _held(declared, find(*board.split("+", 1)).path / name)


def _of_kernel(declared: Declared) -> bytes:
    origin, _, name = declared.text.rpartition("/")
    if not origin or name not in KERNEL_FILES:
        raise ValueError
    return _held(declared, getattr(kernel.find(origin), KERNEL_FILES[name]))


def _held(declared: Declared, path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE or not path.is_file():
            raise declared.wrong(f"{path} is no file of at most {LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise declared.wrong(f"cannot read {path}: {error.strerror}") from error


def _nonce(declared: Declared) -> str:
    try:
        return Orders(declared.text).nonce
    except CaseError:
        raise ValueError from None


_KINDS = ", ".join(KINDS)

CONTENT = (
    Setting("text", "text", "these characters as UTF-8", lambda d: d.text.encode()),
    Setting("hex", "pairs of hex digits", "these bytes", lambda d: bytes.fromhex(d.text)),
    Setting("file", "a path", "a file of this machine, relative to the YAML file", _host_file),
    Setting(
        "bundle",
        "BOARD/NAME",
        "a file of the bundle of that board, such as qemu-arm64/u-boot.bin",
        _of_bundle,
    ),
    Setting(
        "kernel",
        "ORIGIN/Image or ORIGIN/initrd",
        "of a kernel that `ubtest kernel get ORIGIN` took, such as debian:6.1/Image",
        _of_kernel,
    ),
    Setting(
        "probe",
        f"one of {', '.join(TARGETS)}",
        "the boot probe",
        lambda d: (_one_of(*TARGETS)(d),),
    ),
    Setting("nonce", "1 to 63 letters", "what that probe prints as its nonce", _nonce),
)
PARTITION = (
    Setting("name", "text of at most 36 letters", "its name on a GPT", lambda d: d.text),
    Setting(
        "kind",
        f"{_KINDS}, a GUID, or a number for an MBR",
        "its type; else esp",
        lambda d: d.text,
    ),
    Setting("fat", "one of 12, 16, 32, none", "its file system; else 16", _fat),
    Setting("size", "a number with K, M or G", "rounded up to MiB; else all that is left", _size),
    Setting("label", "at most 11 letters", "of the file system", lambda d: d.text),
    Setting(
        "logical",
        "one of yes, no",
        "a logical drive in an MBR's extended partition, which is made around them; else no",
        lambda d: _one_of("yes", "no")(d) == "yes",
    ),
    Setting("files", "a mapping from paths to contents", "what is in the file system", _files),
)
IMAGE = (
    Setting(
        "table", "one of gpt, mbr, iso", "what is around; else gpt", _one_of("gpt", "mbr", "iso")
    ),
    Setting("size", "a number with K, M or G", "of the disk; else 64M", _size),
    Setting("identity", "text", "what GUIDs derive from; else the file's name", lambda d: d.text),
    Setting(
        "partitions",
        "a list of partitions",
        "in their order; an ISO has one, its boot image",
        _partitions,
    ),
    Setting(
        "files", "a mapping from paths to contents", "of an ISO, beside its boot image", _files
    ),
    Setting("damage", f"a list of {', '.join(DAMAGES)}", "what is broken", _damages),
)


def tables() -> str:
    """The settings as tables in Markdown, for docs/images.md."""
    lines = []
    for title, table in (("image", IMAGE), ("partition", PARTITION), ("content", CONTENT)):
        lines += [f"| {title} | is | means |", "|---|---|---|"]
        lines += [f"| `{each.name}` | {_short(each.allowed)} | {each.does} |" for each in table]
        lines.append("")
    return "\n".join(lines)


def _short(allowed: str) -> str:
    return "a list of damages, below" if len(allowed) > 100 else allowed
