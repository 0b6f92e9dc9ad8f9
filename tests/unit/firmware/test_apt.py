"""An apt of our own: it knows what it is told, and nothing of the system's."""

from pathlib import Path

import pytest

from ubtest.errors import HostError
from ubtest.firmware.apt import Apt

SITE = "http://mirror.invalid/debian"


def test_it_has_its_own_architecture_lists_and_sources(tmp_path: Path) -> None:
    apt = Apt(tmp_path / "apt", SITE, "bookworm", "arm64")
    said = apt.run("apt-config", "dump")
    assert [line for line in said.splitlines() if line.startswith("APT::Architecture")] == [
        'APT::Architecture "arm64";',
        'APT::Architectures "";',
        'APT::Architectures:: "arm64";',
    ]
    assert f'Dir::State::lists "{tmp_path}/apt/lists";' in said
    assert "APT::Update::Post-Invoke::" not in said
    assert "APT::Update::Post-Invoke-Success::" not in said
    assert (tmp_path / "apt" / "sources.list").read_text().startswith("deb [")


def test_sources_are_another_kind_of_line(tmp_path: Path) -> None:
    Apt(tmp_path / "apt", SITE, "bookworm").run("apt-config", "dump")
    assert (tmp_path / "apt" / "sources.list").read_text().startswith("deb-src [")


def test_without_lists_it_knows_no_package(tmp_path: Path) -> None:
    assert Apt(tmp_path / "apt", SITE, "bookworm", "arm64").package("bash") is None


def test_a_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    apt = Apt(tmp_path / "apt", SITE, "bookworm", "arm64")
    (tmp_path / "file").write_text("content")
    with pytest.raises(HostError, match="Hash Sum mismatch") as raised:
        apt.download(f"file://{tmp_path}/file", tmp_path / "got", "0" * 64)
    assert "try again" in raised.value.next_step
