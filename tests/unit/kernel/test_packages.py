"""What is downloaded for a target, and how it becomes a file system; apt is a fake."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Apt
from ubtest.kernel import packages, rootfs
from ubtest.kernel.packages import Download, closure, fetch, install, listed
from ubtest.run import run

SAID = f"""\
Reading package lists...
'http://m/pool/a/audit/libaudit_1%3a3.0_all.deb' libaudit_1%3a3.0_all.deb 10448 SHA256:{"a" * 64}
'http://m/pool/q/qemu_7.2_arm64.deb' qemu_7.2_arm64.deb 8210376 SHA256:{"b" * 64}
"""


class FakeApt(Apt):
    """Answers from a table; a download gives a package built here."""

    known = frozenset({"qemu"})
    refreshed = 0

    def package(self, name):
        return {"Package": name} if name in self.known else None

    def refresh(self, say):
        type(self).refreshed += 1
        return ""

    def run(self, program, *words, check=True, cwd=None):
        if program == "apt-get":
            if words[-1] == "nothing":
                raise HostError("`apt-get` ended with 100:\nE: Unable to locate package nothing")
            return SAID
        for path, digest in zip(words[2::3], words[3::3], strict=True):
            assert digest.startswith("SHA256:")
            make_package(Path(path))
        return ""


def make_package(path):
    tree = path.with_suffix(".tree")
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: x\nVersion: 1\nArchitecture: arm64\nMaintainer: m\nDescription: d\n"
    )
    (tree / "usr" / "share" / "doc").mkdir(parents=True)
    (tree / "usr" / path.stem).write_text(path.name)
    run(["dpkg-deb", "-b", tree, path])


@pytest.fixture
def apt(tmp_path):
    FakeApt.refreshed = 0
    return FakeApt(tmp_path / "apt", "http://m", "bookworm", "arm64")


def test_the_files_of_an_installation_are_read_from_apt():
    first, second = listed(SAID)
    assert first == Download(
        "http://m/pool/a/audit/libaudit_1%3a3.0_all.deb",
        "libaudit_1%3a3.0_all.deb",
        10448,
        "a" * 64,
    )
    assert second.size == 8210376


def test_lists_are_fetched_for_an_unknown_package_and_its_lack_is_the_hosts_fault(apt):
    assert len(closure(apt, ["qemu"], print)) == 2
    assert FakeApt.refreshed == 0
    with pytest.raises(HostError, match=r"bookworm has no nothing for arm64.*Unable to locate"):
        closure(apt, ["nothing"], print)
    assert FakeApt.refreshed == 1


def test_more_files_than_one_call_takes_all_come(apt, tmp_path):
    many = [Download(f"http://m/{n}.deb", f"{n}.deb", 1, "c" * 64) for n in range(53)]
    paths = fetch(apt, many, tmp_path, lambda text: None)
    assert [path.name for path in paths] == [each.name for each in many]
    assert all(path.is_file() for path in paths)


def test_packages_are_unpacked_and_their_files_go(apt, tmp_path):
    came = install(apt, ["qemu"], tmp_path / "tree", print)
    assert len(came) == 2
    assert (tmp_path / "tree" / "usr" / "qemu_7.2_arm64").is_file()
    assert not list(tmp_path.glob("*.debs"))


def test_a_root_file_system_holds_the_packages_and_mount_points(apt, tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(rootfs, "archive", lambda suite: apt)
    with pytest.raises(HostError) as lacking:
        rootfs.find("qemu")
    assert lacking.value.next_step == "ubtest kernel rootfs qemu"

    made = rootfs.get("qemu", print)

    assert made == rootfs.find("qemu")
    assert made.packages == {each.name: each.sha256 for each in listed(SAID)}
    shown = run(["debugfs", "-R", "ls -l /", made.image]).text
    assert all(f" {name}\n" in shown for name in rootfs.MOUNT_POINTS)
    [root] = [line.split() for line in shown.splitlines() if line.split()[-1:] == ["."]]
    assert root[3:5] == ["0", "0"], "owned by root"
    assert "qemu_7.2_arm64" in run(["debugfs", "-R", "ls -l /usr", made.image]).text
    assert " doc\n" not in run(["debugfs", "-R", "ls -l /usr/share", made.image]).text
    assert run(["e2fsck", "-fn", made.image]).returncode == 0


def test_an_unknown_root_file_system_lists_the_known():
    with pytest.raises(CaseError, match="one of qemu, xen"):
        rootfs.find("other")


def test_a_failed_download_leaves_nothing_in_the_cache(apt, tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(rootfs, "archive", lambda suite: apt)

    def fails(*words):
        raise HostError("no network")

    monkeypatch.setattr(packages, "fetch", fails)
    with pytest.raises(HostError, match="no network"):
        rootfs.get("qemu", lambda text: None)
    assert list((tmp_path / "cache" / "rootfs").iterdir()) == []


def test_a_recipe_that_changes_is_another_file_system(monkeypatch):
    before = rootfs._folder("qemu")
    monkeypatch.setattr(rootfs, "SUITE", "trixie")
    assert rootfs._folder("qemu") != before
