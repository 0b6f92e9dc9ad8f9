"""The VFIO probe's build: static arm64, once for each state of its sources."""

import ast
import shutil
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.kernel.vfio_probe import in_python, vfio_probe
from ubtest.project import Project

SOURCES = Path(__file__).parents[3] / "images" / "vfio"
AARCH64, EXECUTABLE, INTERPRETER = 183, 2, 3  # <elf.h>: EM_AARCH64, ET_EXEC, PT_INTERP


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project with a copy of the sources, and a cache of its own."""
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "project"
    shutil.copytree(SOURCES, root / "images" / "vfio")
    return Project(root)


def segments(elf: bytes) -> set[int]:
    """The types of the program headers."""
    start = int.from_bytes(elf[32:40], "little")
    size, count = (int.from_bytes(elf[at : at + 2], "little") for at in (54, 56))
    places = (start + size * n for n in range(count))
    return {int.from_bytes(elf[at : at + 4], "little") for at in places}


def test_it_is_a_static_program_for_arm64(project):
    path = vfio_probe(project)
    elf = path.read_bytes()
    assert elf[:4] == b"\x7fELF"
    assert int.from_bytes(elf[16:18], "little") == EXECUTABLE
    assert int.from_bytes(elf[18:20], "little") == AARCH64
    assert INTERPRETER not in segments(elf)
    assert path.stat().st_mode & 0o111


def test_it_is_built_once_for_each_state_of_its_sources(project):
    first = vfio_probe(project)
    made = first.stat().st_mtime_ns
    assert vfio_probe(project) == first
    assert first.stat().st_mtime_ns == made
    header = project.root / "images" / "vfio" / "step.h"
    header.write_text(header.read_text() + "\n/* another state */\n")
    second = vfio_probe(project)
    assert second != first
    assert second.read_bytes() == first.read_bytes(), "the same program for the same code"


def test_a_mistake_in_it_is_told_and_nothing_is_kept(project):
    (project.root / "images" / "vfio" / "edu.c").write_text("int x = y;\n")
    with pytest.raises(HostError, match=r"edu\.c"):
        vfio_probe(project)
    with pytest.raises(HostError, match=r"edu\.c"):
        vfio_probe(project)


def test_a_project_without_the_sources(tmp_path):
    with pytest.raises(CaseError, match="no sources of the VFIO probe"):
        vfio_probe(Project(tmp_path))
    with pytest.raises(CaseError, match=r"cannot read .*vfio_probe\.py"):
        in_python(Project(tmp_path))


def test_the_python_one_needs_nothing_but_the_standard_library(project):
    tree = ast.parse(in_python(project))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not any(name.startswith("ubtest") for name in names)
