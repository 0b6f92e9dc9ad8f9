"""What the board's Linux finds when it starts."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_kernel import RELEASE, busybox

from ubtest.errors import CaseError
from ubtest.formats.cpio import Entry, parse
from ubtest.kernel.initramfs import INIT, applets, initramfs
from ubtest.kernel.modules import ModuleTree

Make = Callable[..., Path]


def test_it_holds_init_busybox_its_names_modules_and_programs(make_tree: Make) -> None:
    tree = ModuleTree(make_tree() / "lib" / "modules" / RELEASE)
    probe = Entry("bin/probe", b"program", 0o755)
    found = {e.path: e for e in parse(gzip.decompress(initramfs(tree, busybox(), [probe])))}
    assert found["init"].content == INIT.read_bytes()
    assert found["bin/busybox"].content == busybox()
    assert found["bin/sh"] == Entry.link("bin/sh", "busybox")
    assert found["bin/probe"].content == b"program"
    assert found["sbin"] == Entry.link("sbin", "bin")
    assert f"lib/modules/{RELEASE}/kernel/vfio/vfio-pci-core.ko" in found
    assert not any("unwanted" in path for path in found)
    assert all(e.mode & 0o111 for e in found.values() if e.path in ("init", "bin/busybox"))


def test_the_same_input_is_the_same_bytes(make_tree: Make) -> None:
    one, two = (ModuleTree(make_tree(n) / "lib" / "modules" / RELEASE) for n in ("one", "two"))
    assert initramfs(one, busybox()) == initramfs(two, busybox())
    assert initramfs(one, busybox())[4:8] == bytes(4)  # gzip's time


def test_a_kernel_without_modules_has_a_shell_too(tmp_path: Path) -> None:
    packed = initramfs(ModuleTree(tmp_path / RELEASE), busybox())
    assert "bin/sh" in [entry.path for entry in parse(gzip.decompress(packed))]


def test_the_applets_are_read_from_the_binary() -> None:
    assert applets(busybox())[:4] == ["[", "[[", "ash", "base64"]


@pytest.mark.parametrize("binary", [busybox(without="base64"), b"\x7fELF"])
def test_a_busybox_without_an_applet_is_refused(binary: bytes) -> None:
    with pytest.raises(CaseError, match="base64"):
        applets(binary)
