"""A kernel's modules: which ones a set of them needs, and the files by which modprobe finds them.

Everything is read from the modules themselves: neither Debian's package nor a fresh
`modules_install` for another machine need have been through depmod.
"""

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from ubtest.errors import CaseError
from ubtest.formats.cpio import Entry
from ubtest.formats.modinfo import modinfo
from ubtest.formats.record import FormatError

# busybox' modprobe takes none of these, so the initramfs holds them unpacked
_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".ko": bytes,
    ".ko.xz": lzma.decompress,
    ".ko.gz": gzip.decompress,
}


@dataclass(frozen=True)
class Module:
    """One module, unpacked.

    :param path: below lib/modules/RELEASE, ending in .ko.
    """

    name: str
    path: str
    content: bytes

    @cached_property
    def info(self) -> dict[str, list[str]]:
        return modinfo(self.content)

    @property
    def needs(self) -> list[str]:
        """The modules whose symbols it uses."""
        texts = ",".join(self.info.get("depends", []))
        return [plain(name) for name in texts.split(",") if name]

    @property
    def softly_needs(self) -> list[str]:
        """What must be there before it although no symbol says so; may be aliases."""
        words = " ".join(self.info.get("softdep", [])).replace("pre:", " pre: ")
        found, before = [], False
        for word in words.replace("post:", " post: ").split():
            if word in ("pre:", "post:"):
                before = word == "pre:"
            elif before:
                found.append(word)
        return found

    @property
    def release(self) -> str:
        """Of the kernel it was built for."""
        return " ".join(self.info.get("vermagic", [])).partition(" ")[0]


@dataclass(frozen=True)
class ModuleTree:
    """lib/modules/RELEASE of a kernel."""

    folder: Path

    @property
    def release(self) -> str:
        return self.folder.name

    @cached_property
    def files(self) -> dict[str, Path]:
        """Module -> its file."""
        found = sorted(self.folder.rglob("*.ko*"))
        return {plain(path.name.partition(".ko")[0]): path for path in found}

    @cached_property
    def builtin(self) -> frozenset[str]:
        """The modules that are part of the kernel."""
        path = self.folder / "modules.builtin"
        lines = path.read_text().splitlines() if path.is_file() else []
        return frozenset(plain(Path(line).name.partition(".ko")[0]) for line in lines)

    def read(self, name: str) -> Module:
        """A module's file, unpacked.

        :raises CaseError: damaged, compressed by zstd, or built for another kernel.
        """
        path = self.files[plain(name)]
        stem, ko, _ = path.name.partition(".ko")
        unpack = _UNPACK.get(path.name[len(stem) :])
        if unpack is None:
            raise CaseError(
                f"{path} is compressed in a way that is not known here",
                next_step="unpack the modules first: `unzstd --rm` takes those ending in .zst",
            )
        try:
            content = unpack(path.read_bytes())
            module = Module(
                plain(stem), str(path.relative_to(self.folder).with_name(stem + ko)), content
            )
            release = module.release
        except (OSError, EOFError, lzma.LZMAError, zlib.error, FormatError) as error:
            raise CaseError(f"{path}: {error}", next_step="install the modules again") from error
        if release != self.release:
            raise CaseError(
                f"{path} was built for {release or 'no kernel'}, not for {self.release}",
                next_step="install the modules of this very kernel",
            )
        return module

    def closure(self, names: Iterable[str]) -> tuple[Module, ...]:
        """The modules of these names and all that they need; what is built in or absent is left
        out.

        :raises CaseError: as :meth:`read`, or one needs a module that is nowhere.
        """
        found: dict[str, Module] = {}
        queue = [plain(name) for name in names if plain(name) in self.files]
        while queue:
            name = queue.pop()
            if name in found:
                continue
            found[name] = module = self.read(name)
            for need in module.needs:
                if need not in self.files and need not in self.builtin:
                    raise CaseError(
                        f"the module {name} needs {need}, which is not in {self.folder}",
                        next_step="give the whole tree that `make modules_install` makes",
                    )
            queue += [
                n for n in (*module.needs, *map(plain, module.softly_needs)) if n in self.files
            ]
        return tuple(found[name] for name in sorted(found))

    def absent(self, names: Iterable[str]) -> list[str]:
        """Those that this kernel neither has as modules nor built in."""
        return [n for n in names if plain(n) not in self.files and plain(n) not in self.builtin]


def entries(tree: ModuleTree, modules: tuple[Module, ...]) -> Iterator[Entry]:
    """The modules as files of an initramfs, with modules.dep and modules.alias for modprobe."""
    top = f"lib/modules/{tree.release}"
    by_name = {module.name: module for module in modules}
    aliases = [(alias, m.name) for m in modules for alias in m.info.get("alias", [])]
    dependencies = [
        f"{m.path}: {' '.join(by_name[n].path for n in _order(m, by_name, aliases))}".rstrip()
        for m in modules
    ]
    for module in modules:
        yield Entry(f"{top}/{module.path}", module.content)
    builtin = "".join(f"kernel/{name}.ko\n" for name in sorted(tree.builtin))
    for name, text in (
        ("dep", "".join(f"{line}\n" for line in dependencies)),
        ("alias", "".join(f"alias {alias} {name}\n" for alias, name in aliases)),
        ("builtin", builtin),
    ):
        yield Entry(f"{top}/modules.{name}", text.encode())


def plain(name: str) -> str:
    """A module's name as the kernel writes it: `vfio-pci` is vfio_pci."""
    return name.replace("-", "_")


def _order(module: Module, known: dict[str, Module], aliases: list[tuple[str, str]]) -> list[str]:
    """All that it needs, as modules.dep has it: what is needed by others comes after them."""
    visited: dict[str, None] = {}  # a set that keeps its order
    begun = {module.name}

    def visit(each: Module) -> None:
        soft = [t for text in each.softly_needs for t in _targets(text, known, aliases)]
        for need in (*each.needs, *soft):
            if need in known and need not in begun:
                begun.add(need)
                visit(known[need])
                visited[need] = None

    visit(module)
    return [*reversed(visited)]


def _targets(text: str, known: dict[str, Module], aliases: list[tuple[str, str]]) -> list[str]:
    if plain(text) in known:
        return [plain(text)]
    return [name for alias, name in aliases if fnmatchcase(text, alias)]
