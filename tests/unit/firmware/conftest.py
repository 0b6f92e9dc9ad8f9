"""A U-Boot that builds at once: its Makefile copies a file where the real one compiles."""

from pathlib import Path

import pytest

from ubtest.firmware.source import Source, resolve
from ubtest.project import Project

# What the real Makefile does, as far as `build` sees it. main.c stands for the whole source:
# its content becomes u-boot.bin; "error" in it does not compile, "forever" never ends
_MAKEFILE = """\
VERSION = 2025
PATCHLEVEL = 01
SUBLEVEL =
EXTRAVERSION =

all:
	@echo '  CC      main.o'
	@echo run >> $(O)/runs
	@if grep -q error main.c; then echo 'main.c:1:1: error: expected ;' >&2; exit 1; fi
	@if grep -q forever main.c; then echo $$$$ > $(O)/pid; echo '  LD      slow'; sleep 300; fi
	@printf 'U-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)\\000' > $(O)/u-boot.bin
	@cat main.c >> $(O)/u-boot.bin

fake_defconfig:
	@cat configs/$@ > $(O)/.config

olddefconfig:
	@sed -i /BOGUS/d $(O)/.config
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "u-boot"
    (tree / "include" / "u-boot").mkdir(parents=True)
    (tree / "include" / "u-boot" / "crc.h").touch()
    (tree / "configs").mkdir()
    (tree / "Makefile").write_text(_MAKEFILE)
    (tree / "configs" / "fake_defconfig").write_text('CONFIG_ARM64=y\nCONFIG_SYS_ARCH="arm"\n')
    (tree / "main.c").write_text("int main;\n")
    return tree


@pytest.fixture
def source(cache: Path, tree: Path) -> Source:
    return resolve(str(tree), lambda text: None)


@pytest.fixture
def compiler(tmp_path: Path) -> Path:
    compiler = tmp_path / "fake-gcc"
    compiler.write_text("#!/bin/sh\necho fake-gcc 1.0\n")
    compiler.chmod(0o755)
    return compiler


@pytest.fixture
def project(tmp_path: Path, compiler: Path) -> Project:
    boards = tmp_path / "project" / "boards"
    boards.mkdir(parents=True)
    prefix = str(compiler).removesuffix("gcc")
    (boards / "fake.config").write_text(
        f"# defconfig: fake_defconfig\n# compiler: {prefix}\n\nCONFIG_CMD_EFIDEBUG=y\n"
    )
    return Project(tmp_path / "project")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    certificate = tmp_path / "trusted.crt"
    certificate.write_text("certificate\n")
    return certificate
