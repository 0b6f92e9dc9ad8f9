import os
import sys
from pathlib import Path

import pytest

from ubtest import doctor, requirements
from ubtest.requirements import Requirement
from ubtest.run import run

ROOT = Path(__file__).parents[2]
PRESENT = Requirement("bash", "bash", "shells")
ABSENT = Requirement("unheard-of", "unheard-of-program", "is needed for nothing")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def said() -> list[str]:
    return []


def need(monkeypatch: pytest.MonkeyPatch, *table: Requirement) -> None:
    monkeypatch.setattr(doctor, "REQUIREMENTS", table)


def test_what_is_there_is_shown_with_version_and_place(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    need(monkeypatch, PRESENT)
    assert doctor.examine(said.append) == 0
    (line,) = [line for line in said if " bash " in line]
    assert "ok" in line
    assert line.endswith("/bash")
    assert any("cache" in line and "writable" in line for line in said)
    assert any("GB free" in line for line in said)
    assert any("labgrid" in line for line in said)


def test_what_is_missing_comes_with_one_line_that_gets_it(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    need(monkeypatch, PRESENT, ABSENT)
    assert doctor.examine(said.append) == 1
    assert any("MISSING" in line and "is needed for nothing" in line for line in said)
    assert said[-1].endswith("apt-get install -y --no-install-recommends unheard-of")


def test_a_cache_that_cannot_be_written_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    need(monkeypatch, PRESENT)
    monkeypatch.setenv("UBTEST_CACHE", "/proc/none")
    assert doctor.examine(said.append) == 1
    assert any("MISSING" in line and "UBTEST_CACHE" in line for line in said)


def test_an_old_python_stops_the_setup(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert doctor.install(said.append) == 1
    assert "ubtest needs 3.11" in said[0]


def test_nothing_is_installed_when_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    need(monkeypatch, PRESENT)
    assert doctor.install(said.append) == 0
    assert said == []


def test_without_rights_the_line_to_paste_is_printed(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    need(monkeypatch, ABSENT)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda program, **rest: None)
    assert doctor.install(said.append) == 1
    assert "sudo apt-get install -y --no-install-recommends unheard-of" in said[-1]


def test_root_installs_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    for name in ("apt-get", "dpkg"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\ntouch {tmp_path}/proof\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    need(monkeypatch, Requirement("wanted", str(tmp_path / "proof"), "x", ()))
    assert doctor.install(said.append) == 0
    assert said[0] == "installing 1 Debian packages: wanted"
    assert said[1] == "  dpkg --configure -a"
    assert said[2] == "  apt-get -q update"
    assert said[3].endswith("install -y --no-install-recommends wanted")


def test_it_runs_before_there_is_a_virtual_environment() -> None:
    words = [sys.executable, "-S", "-m", "ubtest.doctor", "--unknown"]
    finished = run(words, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert finished.returncode == 2
    assert finished.stderr.startswith(b"usage:")


def test_every_package_is_declared_once_a_proof() -> None:
    proofs = [each.proof for each in requirements.REQUIREMENTS]
    assert len(proofs) == len(set(proofs))


def test_system_programs_are_found_without_them_in_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert requirements.which("fsck") is not None
    assert requirements.which("unheard-of-program") is None
