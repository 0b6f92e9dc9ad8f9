"""Which modules a set of them needs, and what modprobe is told about them."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_kernel import RELEASE, module

from ubtest.errors import CaseError
from ubtest.kernel.modules import ModuleTree, entries

Make = Callable[..., Path]


@pytest.fixture
def tree(make_tree: Make) -> ModuleTree:
    return ModuleTree(make_tree() / "lib" / "modules" / RELEASE)


def names(tree: ModuleTree, *wanted: str) -> list[str]:
    return [each.name for each in tree.closure(wanted)]


def files(tree: ModuleTree, *wanted: str) -> dict[str, str]:
    """What is packed: the name below lib/modules/RELEASE -> the text."""
    packed = entries(tree, tree.closure(wanted))
    top = f"lib/modules/{RELEASE}/"
    return {e.path.removeprefix(top): e.content.decode(errors="replace") for e in packed}


def test_a_module_comes_with_all_that_it_needs_and_nothing_else(tree: ModuleTree) -> None:
    assert names(tree, "vfio-pci") == ["vfio", "vfio_pci", "vfio_pci_core"]


def test_hyphen_and_underscore_are_the_same(tree: ModuleTree) -> None:
    assert names(tree, "vfio_pci") == names(tree, "vfio-pci")


def test_what_is_built_in_or_absent_is_left_out(tree: ModuleTree) -> None:
    assert names(tree, "virtio_pci", "vfio-platform") == []
    assert tree.absent(["virtio_pci", "vfio-platform", "vfio"]) == ["vfio-platform"]


def test_modprobe_loads_from_the_end_of_a_line(tree: ModuleTree) -> None:
    lines = files(tree, "vfio-pci")["modules.dep"].splitlines()
    wanted = "kernel/vfio/vfio-pci.ko: kernel/vfio/vfio-pci-core.ko kernel/vfio/vfio.ko"
    assert wanted in lines
    assert "kernel/vfio/vfio.ko:" in lines


def test_what_a_module_needs_softly_comes_before_it_when_it_is_there(tree: ModuleTree) -> None:
    alone = files(tree, "ext4")["modules.dep"]
    assert "kernel/fs/ext4.ko: kernel/fs/jbd2.ko\n" in alone
    both = files(tree, "ext4", "crc32c_generic")["modules.dep"]
    assert "kernel/fs/ext4.ko: kernel/crypto/crc32c_generic.ko kernel/fs/jbd2.ko\n" in both


def test_modules_that_need_each_other_softly_end(tree: ModuleTree) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        content = module(softdep=f"pre: {other}")
        (tree.folder / f"kernel/{name}.ko").write_bytes(content)
    assert names(tree, "one") == ["one", "two"]
    assert "kernel/one.ko: kernel/two.ko\n" in files(tree, "one")["modules.dep"]


def test_aliases_name_their_module(tree: ModuleTree) -> None:
    assert "alias crypto-crc32c crc32c_generic\n" in files(tree, "crc32c_generic")["modules.alias"]


@pytest.mark.parametrize(("suffix", "packed"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_compressed_modules_are_unpacked(
    tree: ModuleTree, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    plain = tree.folder / "kernel/vfio/vfio.ko"
    content = plain.read_bytes()
    plain.with_name(f"vfio.ko{suffix}").write_bytes(packed(content))
    plain.unlink()
    (found,) = tree.closure(["vfio"])
    assert (found.path, found.content) == ("kernel/vfio/vfio.ko", content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vfio.ko", b"", "no little-endian 64-bit ELF"),
        ("vfio.ko", module()[:100], "not whole"),
        ("vfio.ko.xz", b"text", "vfio.ko.xz"),
        ("vfio.ko.zst", b"text", "compressed in a way"),
        ("vfio.ko", module(vermagic="6.9.1 SMP"), "built for 6.9.1, not for 6.1.0-9-arm64"),
        ("vfio.ko", module(depends="nowhere"), "needs nowhere"),
    ],
)
def test_a_module_that_cannot_be_taken_is_named(
    tree: ModuleTree, name: str, content: bytes, message: str
) -> None:
    (tree.folder / "kernel/vfio/vfio.ko").unlink()
    (tree.folder / "kernel/vfio" / name).write_bytes(content)
    with pytest.raises(CaseError, match=message) as raised:
        tree.closure(["vfio"])
    assert raised.value.next_step
