"""A cache of its own for each test, and kernels in folders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_kernel import RELEASE, busybox, image, modules


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    # A compiler takes a second for each new cache
    monkeypatch.setattr("ubtest.kernel.bundle.programs", lambda say: iter(()))
    return tmp_path / "cache"


@pytest.fixture
def make_tree(tmp_path: Path) -> Callable[..., Path]:
    """Makes a kernel's folder: Image, config, busybox and lib/modules."""

    def make(
        name: str = "linux", release: str = RELEASE, config: str = "CONFIG_MODULES=y\n"
    ) -> Path:
        folder = tmp_path / name
        tree = folder / "lib" / "modules" / release
        for path, content in modules(release).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        (tree / "modules.builtin").write_text("kernel/virtio/virtio_pci.ko\n")
        (folder / "Image").write_bytes(image(release))
        (folder / "config").write_text(config)
        (folder / "busybox").write_bytes(busybox())
        return folder

    return make
