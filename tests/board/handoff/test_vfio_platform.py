"""A device of the device tree goes to VFIO: vfio-platform, which Debian's kernels come without.

The device is one of QEMU's virtio-mmio slots. It gets a stream ID of the SMMU from U-Boot, as the
device tree of a real board must have it. DMA stays unproven: the slot is behind no SMMU in QEMU,
whatever the tree says.
"""

import errno

import pytest

from ubtest.deadline import Deadline
from ubtest.errors import CaseError
from ubtest.formats.cpio import Entry
from ubtest.handoff.binding import examine, on_vfio, refuse_needed
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import Survey
from ubtest.handoff.vfio import Probed
from ubtest.kernel import vfio_platform
from ubtest.kernel.bundle import find
from ubtest.kernel.overlay import with_files
from ubtest.lab.linux_boot import LinuxBoot

pytestmark = [pytest.mark.slow, pytest.mark.variant, pytest.mark.needs("linux")]

SLOT, NODE = "a003e00.virtio_mmio", "/virtio_mmio@a003e00"
STREAM = 0x500
WITH_STREAM = (
    "fdt get value smmu /smmuv3@9050000 phandle",
    f"fdt set {NODE} iommus <${{smmu}} {STREAM:#x}>",
)
# A device that has wired interrupts only has no MSI controller, and newer kernels take that for
# one that cannot keep devices apart
WITH_MSI = (
    *WITH_STREAM,
    "fdt get value its /intc@8000000/its@8080000 phandle",
    f"fdt set {NODE} msi-parent <${{its}} {STREAM:#x}>",
)
KERNELS = ("debian:6.1", "debian:6.12")
DRIVER = "modprobe vfio_iommu_type1; modprobe vfio-pci; cd /modules; insmod vfio-platform-base.ko; "
WITH_RESET = f"{DRIVER} insmod reset_virtio_mmio.ko; insmod vfio-platform.ko"
WITHOUT_RESET = f"{DRIVER} insmod vfio-platform.ko reset_required=0"


@pytest.fixture
def target(board, tmp_path):
    """Boots a kernel whose initramfs holds the modules."""

    def boot(kernel, tree=WITH_MSI):
        bundle = find(kernel)
        built = vfio_platform.find(bundle)
        paths = (*built.drivers, built.reset("virtio_mmio"))
        files = [Entry(f"modules/{path.name}", path.read_bytes()) for path in paths]
        board.machine.shape(devices=(*board.machine.declared_devices, "virtio-net-device,id=slot"))
        longer = with_files(bundle, files, tmp_path / "initrd.gz")
        return board.linux(LinuxBoot(longer, tree=tree))

    return boot


def load(shell, modules):
    loaded = shell.run(modules)
    if loaded.status:
        raise CaseError(f"`{modules}` ended with {loaded.status}: {loaded.text}")


def probed(shell, results, prepare):
    load(shell, prepare)
    survey = examine(shell, [SLOT], prepare="")
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
    assert steps.step("reset").ok, "the device's status is 0 afterwards"
    assert steps.arrived("wired") is None and steps.moved is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_its_interrupt_arrives(target, board, results, kernel):
    """QEMU pulls the slot's network cable while the probe waits for the interrupt of that."""
    shell = target(kernel)
    load(shell, WITH_RESET)
    device = refuse_needed(Target(Survey.gather(shell)), SLOT)
    deadline = Deadline(120)
    with on_vfio(shell, [device]):
        shell.check(f"(VFIO_PROBE_WAIT=60 vfio-probe {SLOT} >/tmp/said 2>&1 &)")
        while (steps := said(shell)).step("waits") is None:
            assert not steps.failed and not deadline.expired, steps
        assert steps.arrived("wired") is None, "before there was one"
        board.machine.qmp("set_link", name="slot", up=False)
        while not (steps := said(shell)).whole:
            assert not deadline.expired, steps
    assert steps.arrived("wired")
    assert steps.failed == ()


def said(shell):
    return Probed.read(shell.check("cat /tmp/said"))


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_iommus_there_is_no_group(target, results, kernel):
    """What MacchiatoBin's trees say of its Ethernet: nothing, and so it cannot be passed on."""
    steps = probed(target(kernel, tree=()), results, WITH_RESET)

    assert not steps.step("iommu_group").ok
    assert not steps.opened


@pytest.mark.parametrize(("kernel", "refused"), [("debian:6.1", 0), ("debian:6.12", errno.EPERM)])
def test_a_device_without_msi_is_unsafe_since_6_12(target, results, kernel, refused):
    """Until the user allows it: msi-parent in the tree is the other way out."""
    shell = target(kernel, tree=WITH_STREAM)
    steps = probed(shell, results, WITH_RESET)
    assert steps.step("VFIO_SET_IOMMU").error == refused

    shell.check("echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts")
    again = Probed.read(examine(shell, [SLOT], prepare="").probes[SLOT])
    assert again.opened and again.failed == ()


@pytest.mark.known_bug("vfio-platform-reset-required")
@pytest.mark.parametrize("kernel", KERNELS)
def test_reset_required_can_be_switched_off(target, results, kernel):
    """A device without a reset function, as MacchiatoBin's Ethernet."""
    shell = target(kernel)
    steps = probed(shell, results, WITHOUT_RESET)

    assert shell.check("cat /sys/module/vfio_platform/parameters/reset_required").strip() == "N"
    assert steps.step("open group").ok
    assert steps.opened
