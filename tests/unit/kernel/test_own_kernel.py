"""A user's own kernel: found in a folder, refused with the reason, noticed when it changes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_kernel import RELEASE, image, module

from ubtest.errors import CaseError, HostError
from ubtest.kernel.bundle import find, get
from ubtest.kernel.own import own

Make = Callable[..., Path]


@pytest.mark.parametrize(
    "place", ["Image", "arch/arm64/boot/Image", "boot/Image", "boot/vmlinuz-6.1.0-9-arm64"]
)
def test_the_image_is_found_where_builds_and_packages_have_it(make_tree: Make, place: str) -> None:
    folder = make_tree()
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / "Image").rename(folder / place)
    for path in (folder, folder / place):
        kernel = own(path)
        assert kernel.image == folder / place
        assert kernel.release == RELEASE
        assert kernel.modules == folder / "lib" / "modules" / RELEASE
        assert kernel.busybox == folder / "busybox"


def test_taking_it_copies_the_image_and_points_to_the_modules(make_tree: Make) -> None:
    folder = make_tree()
    kernel = get(str(folder))
    assert kernel.release == RELEASE
    assert kernel.version == "6.1"
    assert kernel.origin == str(folder)
    assert kernel.image.read_bytes() == image()
    assert kernel.modules.resolve() == folder / "lib" / "modules" / RELEASE
    assert kernel.config.enabled("MODULES")
    assert kernel.initrd.is_file()
    assert find(str(folder)).path == kernel.path


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "Image").write_bytes(image() + b"more"),
        lambda f: (f / "config").write_text("CONFIG_MODULES=y\nCONFIG_VFIO=m\n"),
        lambda f: os.utime(next(f.rglob("vfio.ko")), (1, 1)),
        lambda f: (f / "lib/modules" / RELEASE / "kernel/new.ko").write_bytes(module()),
    ],
    ids=["image", "config", "module", "new module"],
)
def test_a_kernel_built_again_is_another_one(
    make_tree: Make, change: Callable[[Path], object]
) -> None:
    folder = make_tree()
    before = get(str(folder))
    change(folder)
    with pytest.raises(HostError, match="not in the cache") as raised:
        find(str(folder))
    assert raised.value.next_step == f"ubtest kernel get {folder}"
    assert get(str(folder)).path != before.path


def test_a_kernel_without_loadable_modules_needs_none(make_tree: Make) -> None:
    folder = make_tree(config="# CONFIG_MODULES is not set\n")
    (folder / "lib" / "modules" / RELEASE).rename(folder / "elsewhere")
    assert own(folder).modules is None
    assert not get(str(folder)).modules.exists()


@pytest.mark.parametrize(
    ("spoil", "message", "step"),
    [
        (lambda f: (f / "Image").unlink(), "no Image in", "give a kernel's build tree"),
        (lambda f: (f / "Image").write_bytes(b"\x1f\x8b"), "gunzip", "uncompressed"),
        (lambda f: (f / "Image").write_bytes(image(machine=0x8664)), "EFI stub", "arm64"),
        (lambda f: (f / "Image").write_bytes(image("6.9.1")), "only of 6.1.0-9", "modules_install"),
        (lambda f: (f / "lib").rename(f / "x"), "no modules of Linux 6.1.0", "modules_install"),
        (lambda f: (f / "config").unlink(), "no .config beside it", "copy the .config"),
    ],
)
def test_what_cannot_be_taken_says_what_to_do(
    make_tree: Make, cache: Path, spoil: Callable[[Path], object], message: str, step: str
) -> None:
    folder = make_tree()
    spoil(folder)
    with pytest.raises(CaseError, match=message) as raised:
        get(str(folder))
    assert step in raised.value.next_step
    assert not [*cache.glob("kernels/*/*")]


def test_two_kernels_in_one_folder_are_not_guessed_among(make_tree: Make) -> None:
    folder = make_tree()
    (folder / "boot").mkdir()
    (folder / "Image").rename(folder / "boot" / "vmlinuz-1")
    (folder / "boot" / "vmlinuz-2").write_bytes(image())
    with pytest.raises(CaseError, match="several kernels: boot/vmlinuz-1, boot/vmlinuz-2"):
        own(folder)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no kernel") as raised:
        get(str(tmp_path / "none"))
    assert "debian:6.12" in raised.value.next_step


def test_a_module_that_cannot_be_packed_leaves_no_initramfs(make_tree: Make, cache: Path) -> None:
    folder = make_tree()
    next(folder.rglob("vfio.ko")).write_bytes(b"text")
    with pytest.raises(CaseError, match=r"vfio\.ko"):
        get(str(folder))
    assert not [*cache.glob("initrds/*")]
