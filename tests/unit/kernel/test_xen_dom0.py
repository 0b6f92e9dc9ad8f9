"""Xen's configuration file, and which kernels can be dom0."""

from dataclasses import replace

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.config import Kconfig
from ubtest.kernel import xen
from ubtest.kernel.bundle import KernelBundle


@pytest.fixture
def kernel(tmp_path) -> KernelBundle:
    """One of a user, without modules."""
    initrd = tmp_path / "initrd.gz"
    initrd.write_bytes(b"")
    modules = tmp_path / "lib" / "modules" / "6.1.0-own"
    return KernelBundle(
        tmp_path,
        str(tmp_path),
        modules.name,
        "6.1",
        tmp_path / "Image",
        initrd,
        modules,
        tmp_path / "dtbs",
        Kconfig({"XEN": "n"}),
        {},
    )


def test_the_configuration():
    text = xen.configuration("dom0_mem=256M", "Image", "console=hvc0 quiet", "initrd.gz")
    assert text == (
        "[global]\ndefault=xen\n[xen]\noptions=dom0_mem=256M\n"
        "kernel=Image console=hvc0 quiet\nramdisk=initrd.gz\n"
    )


def build_in(kernel: KernelBundle) -> None:
    kernel.modules.mkdir(parents=True)
    names = "".join(f"kernel/drivers/xen/{name}.ko\n" for name in xen.MODULES)
    (kernel.modules / "modules.builtin").write_text(names)


def test_a_kernel_without_xen_is_refused(kernel, tmp_path):
    build_in(kernel)
    with pytest.raises(CaseError, match="built without Xen") as caught:
        xen.dom0(kernel, tmp_path / "longer.gz")
    assert "CONFIG_XEN" in caught.value.next_step


def test_so_is_one_whose_modules_are_missing(kernel, tmp_path):
    with pytest.raises(CaseError, match="built without Xen"):
        xen.dom0(replace(kernel, config=Kconfig({"XEN": "y"})), tmp_path / "longer.gz")


def test_one_with_all_built_in_is_taken(kernel, tmp_path):
    build_in(kernel)
    able = replace(kernel, config=Kconfig({"XEN": "y"}))
    assert xen.dom0(able, tmp_path / "longer.gz").initrd == tmp_path / "longer.gz"
