import json
import os
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.bundle import Bundle, find, listing

ARM64 = 'CONFIG_SYS_ARCH="arm"\nCONFIG_ARM64=y\nCONFIG_CMD_EFIDEBUG=y\n'
BINARY = b"\x00\x01U-Boot 2026.10-rc2-g12345 (Sep 01 2026 - 10:00:00 +0000)\x00rest"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A user's own build directory."""
    folder = tmp_path / "build"
    (folder / "include" / "config").mkdir(parents=True)
    (folder / "u-boot.bin").write_bytes(BINARY)
    (folder / ".config").write_text(ARM64)
    (folder / "include" / "config" / "uboot.release").write_text("2025.07-rc1-g12345-dirty\n")
    return folder


def keep(cache: Path, name: str, version: str, *, asked: int) -> Path:
    """Put a bundle into the cache, asked for at a time."""
    board, _, variant = name.partition("+")
    folder = cache / "bundles" / name / f"{version}-key"
    folder.mkdir(parents=True)
    (folder / "u-boot.bin").write_bytes(b"")
    (folder / ".config").write_text(ARM64)
    manifest = {"board": board, "variant": variant, "version": version}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    os.utime(folder / "manifest.json", (asked, asked))
    return folder


def test_a_build_directory_says_its_version(build: Path) -> None:
    bundle = Bundle.open(build)
    assert bundle.version == "2025.07-rc1"
    assert bundle.traits.capsule_key == "binary"
    assert bundle.binary == build / "u-boot.bin"
    assert bundle.dtb is None
    assert bundle.certificate_fingerprint is None


def test_a_device_tree_beside_the_binary_belongs_to_it(build: Path) -> None:
    (build / "u-boot.dtb").write_bytes(b"\xd0\x0d\xfe\xed")
    assert Bundle.open(build).dtb == build / "u-boot.dtb"


def test_a_binary_with_its_config_beside_says_its_version_itself(build: Path) -> None:
    (build / "include" / "config" / "uboot.release").unlink()
    bundle = Bundle.open(build / "u-boot.bin")
    assert bundle.version == "2026.10-rc2"
    assert bundle.banner == "U-Boot 2026.10-rc2-g12345 (Sep 01 2026 - 10:00:00 +0000)"


def test_a_binary_without_its_config_is_refused(build: Path) -> None:
    (build / ".config").unlink()
    with pytest.raises(CaseError, match=r"no \.config beside it") as caught:
        Bundle.open(build / "u-boot.bin")
    assert str(build / ".config") in caught.value.next_step


def test_a_path_without_firmware_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"u-boot\.bin is missing"):
        Bundle.open(tmp_path)


def test_a_binary_that_says_no_version_is_refused(build: Path) -> None:
    (build / "include" / "config" / "uboot.release").unlink()
    (build / "u-boot.bin").write_bytes(b"")
    with pytest.raises(CaseError, match="does not say its version"):
        Bundle.open(build)


@pytest.mark.parametrize(
    ("config", "arch"),
    [
        (ARM64, "arm64"),
        ('CONFIG_SYS_ARCH="arm"\n', "arm"),
        ('CONFIG_SYS_ARCH="x86"\nCONFIG_X86_64=y\n', "x86_64"),
        ('CONFIG_SYS_ARCH="x86"\n', "i386"),
        ('CONFIG_SYS_ARCH="sandbox"\n', "sandbox"),
        ("", "unknown"),
    ],
)
def test_the_config_says_the_processor(build: Path, config: str, arch: str) -> None:
    (build / ".config").write_text(config)
    assert Bundle.open(build).arch == arch


def test_another_processor_is_refused(build: Path) -> None:
    with pytest.raises(CaseError, match="built for arm64, the board is riscv"):
        Bundle.open(build).require(arch="riscv")


def test_missing_configs_are_all_named(build: Path) -> None:
    bundle = Bundle.open(build)
    bundle.require(arch="arm64", configs=("CMD_EFIDEBUG",))
    with pytest.raises(CaseError, match="without CONFIG_DFU, CONFIG_CMD_BOOTMENU"):
        bundle.require(configs=("CMD_EFIDEBUG", "DFU", "CMD_BOOTMENU"))


def test_the_bundle_that_was_asked_for_last_is_found(cache: Path) -> None:
    older = keep(cache, "fake", "2023.01", asked=1)
    newer = keep(cache, "fake", "2025.01", asked=2)
    keep(cache, "fake+other", "2025.01", asked=3)
    assert find("fake").path == newer
    assert find("fake", version="2023.01").path == older
    assert [b.variant for b in listing()] == ["other", "", ""]


def test_what_is_not_there_says_how_to_build_it(cache: Path) -> None:
    with pytest.raises(HostError) as caught:
        find("fake", "other", "2023.01")
    assert caught.value.next_step == "ubtest firmware build fake+other --source debian:2023.01"


def test_a_spoiled_manifest_is_named(cache: Path) -> None:
    folder = keep(cache, "fake", "2025.01", asked=1)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(CaseError, match=r"manifest\.json is not JSON"):
        find("fake")
