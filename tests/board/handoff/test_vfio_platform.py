"""A device of the device tree goes to VFIO: vfio-platform, which Debian's kernels come without.

The device is one of QEMU's virtio-mmio slots. It gets a stream ID of the SMMU from U-Boot, as the
device tree of a real board must have it. DMA stays unproven: the slot is behind no SMMU in QEMU,
whatever the tree says.
"""

import pytest

from ubtest.formats.cpio import Entry
from ubtest.handoff.binding import examine
from ubtest.handoff.vfio import Probed
from ubtest.kernel import vfio_platform
from ubtest.kernel.bundle import find
from ubtest.kernel.overlay import with_files
from ubtest.lab.linux_boot import LinuxBoot

pytestmark = [pytest.mark.slow, pytest.mark.needs("linux")]

SLOT, NODE = "a003e00.virtio_mmio", "/virtio_mmio@a003e00"
STREAM = 0x500
WITH_STREAM = (
    "fdt get value smmu /smmuv3@9050000 phandle",
    f"fdt set {NODE} iommus <${{smmu}} {STREAM:#x}>",
)
KERNELS = ("debian:6.1", "debian:6.12")
DRIVER = "modprobe vfio_iommu_type1; modprobe vfio-pci; cd /modules; insmod vfio-platform-base.ko; "
WITH_RESET = f"{DRIVER} insmod reset_virtio_mmio.ko; insmod vfio-platform.ko"
WITHOUT_RESET = f"{DRIVER} insmod vfio-platform.ko reset_required=0"


@pytest.fixture
def target(board, tmp_path):
    """Boots a kernel whose initramfs holds the modules."""

    def boot(kernel, tree=WITH_STREAM):
        bundle = find(kernel)
        built = vfio_platform.find(bundle)
        paths = (*built.drivers, built.reset("virtio_mmio"))
        files = [Entry(f"modules/{path.name}", path.read_bytes()) for path in paths]
        board.machine.shape(devices=(*board.machine.declared_devices, "virtio-net-device,id=slot"))
        longer = with_files(bundle, files, tmp_path / "initrd.gz")
        return board.linux(LinuxBoot(longer, tree=tree))

    return boot


def probed(shell, results, prepare):
    survey = examine(shell, [SLOT], prepare=prepare)
    survey.save(results.folder / "vfio-platform.tar.gz")
    return Probed.read(survey.probes[SLOT])


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_platform_device_goes_to_vfio_and_back(target, results, kernel):
    """Group, container, the region of `reg`, the interrupt of `interrupts`, and a reset."""
    steps = probed(target(kernel), results, WITH_RESET)

    assert steps.failed == ()
    assert steps.opened and steps.viable
    region = steps.step("VFIO_DEVICE_GET_REGION_INFO", index=0)
    assert region.said["size"] == 0x200
    assert steps.step("VFIO_DEVICE_GET_INFO").said["regions"] == 1
    assert steps.step("VFIO_DEVICE_GET_IRQ_INFO", kind="wired").said["count"] == 1
    assert steps.step("VFIO_DEVICE_SET_IRQS", kind="wired").ok
    assert steps.step("VFIO_DEVICE_RESET").ok
    assert steps.moved is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_iommus_there_is_no_group(target, results, kernel):
    """What MacchiatoBin's trees say of its Ethernet: nothing, and so it cannot be passed on."""
    steps = probed(target(kernel, tree=()), results, WITH_RESET)

    assert not steps.step("iommu_group").ok
    assert not steps.opened


@pytest.mark.known_bug("vfio-platform-reset-required")
@pytest.mark.parametrize("kernel", KERNELS)
def test_reset_required_can_be_switched_off(target, results, kernel):
    """A device without a reset function, as MacchiatoBin's Ethernet."""
    shell = target(kernel)
    steps = probed(shell, results, WITHOUT_RESET)

    assert shell.check("cat /sys/module/vfio_platform/parameters/reset_required").strip() == "N"
    assert steps.step("open group").ok
    assert steps.opened
