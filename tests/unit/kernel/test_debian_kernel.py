"""Debian's kernel, from a mirror of a few bytes made by dpkg-deb."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Say, Stanza
from ubtest.kernel import debian
from ubtest.kernel.bundle import find, folders, get
from ubtest.run import run

Make = Callable[..., Path]


@dataclass
class Mirror:
    """Suites and their packages; what apt has in its lists is what `refresh` saw last."""

    folder: Path
    suites: dict[str, dict[str, Stanza]] = field(default_factory=dict)
    lists: dict[str, dict[str, Stanza]] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    offline: bool = False

    def publish(self, suite: str, revision: str, tree: Path, *, usr: str = "") -> None:
        """A kernel and a busybox, as Debian lays them out; trixie has lib and bin in `usr`."""
        release = next((tree / "lib" / "modules").iterdir()).name
        kernel, busybox = self.folder / "kernel", self.folder / "box"
        for path in (kernel, busybox):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(tree / "lib", kernel / usr / "lib")
        (kernel / "boot").mkdir()
        shutil.copy(tree / "Image", kernel / "boot" / f"vmlinuz-{release}")
        shutil.copy(tree / "config", kernel / "boot" / f"config-{release}")
        dtbs = kernel / "usr" / "lib" / f"linux-image-{release}" / "marvell"
        dtbs.mkdir(parents=True)
        (dtbs / "armada-8040-mcbin.dtb").write_bytes(b"tree")
        (busybox / usr / "bin").mkdir(parents=True)
        shutil.copy(tree / "busybox", busybox / usr / "bin" / "busybox")
        meta = {"Package": "linux-image-arm64", "Version": revision}
        name = f"linux-image-{release}"
        self.suites[suite] = {
            "linux-image-arm64": meta | {"Depends": f"{name} (= {revision})"},
            name: self._deb(name, revision, kernel),
            "busybox-static": self._deb("busybox-static", "1:1.35.0-4", busybox),
        }

    def _deb(self, name: str, revision: str, tree: Path) -> Stanza:
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: {revision}\nArchitecture: arm64\n"
            "Maintainer: A. Person <a@example.org>\nDescription: x\n"
        )
        path = self.folder / f"{name}_{revision.replace(':', '%3a')}_arm64.deb"
        run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, path])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {
            "Package": name,
            "Version": revision,
            "Filename": str(path),
            "Size": str(path.stat().st_size),
            "SHA256": digest,
        }


@dataclass
class FakeApt:
    """What `debian` asks of an apt, by a folder instead of a network."""

    mirror: Mirror
    suite: str

    def package(self, name: str) -> Stanza | None:
        return self.mirror.lists.get(self.suite, {}).get(name)

    def refresh(self, say: Say) -> str:
        if self.mirror.offline:
            return "Failed to fetch http://mirror/InRelease"
        self.mirror.lists[self.suite] = self.mirror.suites.get(self.suite, {})
        return ""

    def fetch(self, package: Stanza, folder: Path, say: Say) -> Path:
        source = Path(package["Filename"])
        self.mirror.downloads.append(source.name)
        if self.mirror.offline or not source.is_file():
            raise HostError(f"404 Not Found {source.name}")
        return Path(shutil.copy(source, folder))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_tree: Make) -> Mirror:
    """With 6.1 in bookworm, and 6.12 in trixie."""
    (tmp_path / "mirror").mkdir()
    mirror = Mirror(tmp_path / "mirror")
    mirror.publish("bookworm", "6.1.176-1", make_tree("old", "6.1.0-50-arm64"))
    new = make_tree("new", "6.12.117+deb13-arm64")
    mirror.publish("trixie", "6.12.117-1", new, usr="usr")
    monkeypatch.setattr(debian, "mirror", lambda: "http://mirror")
    monkeypatch.setattr(debian, "_apt", lambda site, suite: FakeApt(mirror, suite))
    return mirror


def test_the_package_becomes_a_bundle(mirror: Mirror) -> None:
    said: list[str] = []
    kernel = get("debian:6.1", said.append)
    assert (kernel.release, kernel.version) == ("6.1.0-50-arm64", "6.1")
    assert kernel.manifest["package"] == "linux-image-6.1.0-50-arm64 6.1.176-1"
    assert (kernel.dtbs / "marvell" / "armada-8040-mcbin.dtb").is_file()
    assert (kernel.modules / "kernel" / "vfio" / "vfio.ko").is_file()
    assert sorted(path.name for path in kernel.path.iterdir()) == [
        *("Image", "busybox", "config", "dtbs", "lib", "manifest.json")
    ]
    assert "unpacking linux-image-6.1.0-50-arm64 6.1.176-1" in said


def test_trixie_has_its_files_below_usr(mirror: Mirror) -> None:
    kernel = get("debian:6.12")
    assert (kernel.release, kernel.version) == ("6.12.117+deb13-arm64", "6.12")
    assert (kernel.modules / "kernel" / "vfio" / "vfio.ko").is_file()


def test_the_second_call_asks_no_mirror(mirror: Mirror) -> None:
    first = get("debian:6.1")
    mirror.offline = True
    mirror.downloads.clear()
    assert get("debian:6.1").path == find("debian:6.1").path == first.path
    assert mirror.downloads == []


def test_a_mirror_that_moved_on_is_asked_again(mirror: Mirror, make_tree: Make) -> None:
    mirror.lists["bookworm"] = mirror.suites["bookworm"]
    Path(mirror.lists["bookworm"]["linux-image-6.1.0-50-arm64"]["Filename"]).unlink()
    mirror.publish("bookworm", "6.1.180-1", make_tree("newer", "6.1.0-51-arm64"))
    assert get("debian:6.1").release == "6.1.0-51-arm64"


def test_a_refresh_gets_the_next_revision_or_the_same(mirror: Mirror, make_tree: Make) -> None:
    first = get("debian:6.1")
    mirror.downloads.clear()
    assert get("debian:6.1", refresh=True).path == first.path
    assert mirror.downloads == []
    mirror.publish("bookworm", "6.1.180-1", make_tree("newer", "6.1.0-51-arm64"))
    assert get("debian:6.1").path == first.path
    assert get("debian:6.1", refresh=True).release == "6.1.0-51-arm64"
    assert find("debian:6.1").release == "6.1.0-51-arm64"
    assert first.image.is_file()


def test_a_suite_is_found_that_nobody_knew_of(mirror: Mirror, make_tree: Make) -> None:
    mirror.publish("sid", "7.1.2-1", make_tree("sid", "7.1.2-arm64"))
    assert get("debian:7.1").release == "7.1.2-arm64"


def test_a_version_that_no_suite_has(mirror: Mirror, cache: Path) -> None:
    with pytest.raises(HostError, match=r"no Linux 6\.5 .*bookworm has 6\.1, trixie has 6\.12"):
        get("debian:6.5")
    assert not [*cache.glob("kernels/*/*")]


def test_no_network(mirror: Mirror, cache: Path) -> None:
    mirror.offline = True
    with pytest.raises(HostError, match="apt says: Failed to fetch") as raised:
        get("debian:6.1")
    assert "check the network" in raised.value.next_step
    mirror.lists["bookworm"] = mirror.suites["bookworm"]
    with pytest.raises(HostError, match="404 Not Found"):
        get("debian:6.1")
    assert not [*cache.glob("kernels/*/*")]


def test_ctrl_c_leaves_nothing(mirror: Mirror, cache: Path) -> None:
    def stop(text: str) -> None:
        if text.startswith("unpacking busybox"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get("debian:6.1", stop)
    assert not [*cache.glob("kernels/*/*")]
    assert not [*cache.glob("kernels/*/.*")]
    assert get("debian:6.1").image.is_file()


@pytest.mark.parametrize("version", ["6.1.176-1", "bookworm", "", "../6.1", "6"])
def test_only_upstream_versions_can_be_asked_for(version: str) -> None:
    with pytest.raises(CaseError, match="not an upstream version"):
        get(f"debian:{version}")


def test_find_names_the_command(cache: Path) -> None:
    with pytest.raises(HostError, match="not in the cache") as raised:
        find("debian:6.12")
    assert raised.value.next_step == "ubtest kernel get debian:6.12"


def test_a_users_kernel_gets_debians_busybox(mirror: Mirror, make_tree: Make) -> None:
    folder = make_tree()
    (folder / "busybox").unlink()
    kernel = get(str(folder))
    assert kernel.manifest["busybox"] == "busybox-static 1:1.35.0-4"
    assert (kernel.path / "busybox").is_file()
    mirror.offline = True
    (folder / "Image").touch()
    (folder / "config").write_text("CONFIG_MODULES=y\nCONFIG_X=y\n")
    with pytest.raises(HostError, match="no busybox-static") as raised:
        get(str(folder))
    assert "beside the kernel" in raised.value.next_step


def test_a_damaged_manifest_is_named(mirror: Mirror) -> None:
    path = get("debian:6.1").path
    (path / "manifest.json").write_text("{")
    with pytest.raises(CaseError, match="damaged"):
        find("debian:6.1")
    assert folders("debian-6.1") == [path]


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        ("6.1.176-1", "6.1"),
        ("6.12.117-1~deb13u1", "6.12"),
        ("7.0~rc3-1", "7.0"),
        ("6.16-1", "6.16"),
    ],
)
def test_the_upstream_version_in_a_debian_one(revision: str, version: str) -> None:
    assert debian.upstream(revision) == version
