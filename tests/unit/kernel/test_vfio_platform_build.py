"""Which vfio-platform a kernel gets, and who is at fault when it cannot be had."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Apt
from ubtest.firmware.config import Kconfig
from ubtest.kernel import vfio_platform
from ubtest.kernel.bundle import KernelBundle
from ubtest.kernel.vfio_platform import PlatformModules

RELEASE, REVISION = "6.1.0-50-arm64", "6.1.176-1"


class OtherMirror(Apt):
    """Has headers and sources of one revision."""

    has: str | None = REVISION

    def package(self, name):
        return {"Package": name, "Version": self.has} if self.has else None

    def refresh(self, say):
        return ""


def kernel(origin="debian:6.1", revision=REVISION):
    return KernelBundle(
        path=Path("kernel"),
        origin=origin,
        release=RELEASE,
        version="6.1",
        image=Path("Image"),
        initrd=Path("initrd.gz"),
        modules=Path("modules"),
        dtbs=Path("dtbs"),
        config=Kconfig.parse("", "config"),
        manifest={"package": f"linux-image-{RELEASE} {revision}"},
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path))


def mirror_with(monkeypatch, tmp_path, revision):
    apt = OtherMirror(tmp_path / "apt", "http://m", "bookworm", "arm64")
    monkeypatch.setattr(OtherMirror, "has", revision)
    monkeypatch.setattr(vfio_platform, "archive", lambda *words: apt)


def test_what_is_not_built_names_the_command():
    with pytest.raises(HostError) as lacking:
        vfio_platform.find(kernel())
    assert lacking.value.next_step == "ubtest kernel vfio-platform debian:6.1"


def test_the_modules_of_an_own_kernel_are_its_owners(tmp_path):
    with pytest.raises(CaseError, match="no headers at Debian's mirror"):
        vfio_platform.get(kernel("/home/me/linux"))
    assert list((tmp_path / "vfio-platform").iterdir()) == []


@pytest.mark.parametrize(("has", "shown"), [("6.1.177-1", "6.1.177-1"), (None, "none")])
def test_headers_of_another_revision_are_refused(monkeypatch, tmp_path, has, shown):
    """A module with another kernel's types would load and corrupt memory."""
    mirror_with(monkeypatch, tmp_path, has)
    with pytest.raises(HostError, match=f"Debian's {REVISION}, .* is {shown}") as refused:
        vfio_platform.get(kernel())
    assert refused.value.next_step == "ubtest kernel get --refresh debian:6.1"


def test_another_revision_or_another_reset_function_is_another_build(monkeypatch):
    first = vfio_platform._folder(kernel())
    assert first == vfio_platform._folder(kernel())
    assert first != vfio_platform._folder(kernel(revision="6.1.177-1"))
    monkeypatch.setattr(vfio_platform, "SETTINGS", ())
    assert first != vfio_platform._folder(kernel())


def test_drivers_come_in_the_order_of_loading(tmp_path):
    modules = PlatformModules(tmp_path)
    assert [path.stem for path in modules.drivers] == ["vfio-platform-base", "vfio-platform"]
    assert modules.reset("virtio_mmio") == tmp_path / "reset_virtio_mmio.ko"


def test_a_program_of_the_headers_runs_with_the_c_library_they_came_with(tmp_path):
    tools = tmp_path / "usr/lib/linux-kbuild-6.12/scripts/mod"
    library = tmp_path / "usr/lib/x86_64-linux-gnu"
    for folder in (tools, library):
        folder.mkdir(parents=True)
    loader = library / "ld-linux-x86-64.so.2"
    for path in (tools / "modpost", tools / "modpost.real-lsb-64", loader, library / "libc.so.6"):
        path.touch()

    vfio_platform._with_its_libc(tmp_path)

    words = (tools / "modpost").read_text().split()
    assert words[2:6] == [
        str(loader),
        "--library-path",
        str(library),
        str(tools / "modpost.real-lsb-64"),
    ]
    assert (tools / "modpost").stat().st_mode & 0o111
