"""VFIO on a good board: every step passes, DMA moves data, interrupts arrive; what is refused."""

import pytest
from vfio_desk import DISK, E1000E, EDU, examined, verdict_of

from ubtest.errors import CaseError
from ubtest.handoff.binding import MODULES, examine, on_vfio
from ubtest.handoff.devices import devices
from ubtest.handoff.explanation import State, explain
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import Survey
from ubtest.handoff.vfio import Probed
from ubtest.kernel import rootfs
from ubtest.kernel.vfio_probe import in_python
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.media.disk import Disk

pytestmark = pytest.mark.needs("linux")

STEPS = (
    "open container",
    "VFIO_GET_API_VERSION",
    "VFIO_CHECK_EXTENSION",
    "iommu_group",
    "open group",
    "VFIO_GROUP_GET_STATUS",
    "VFIO_GROUP_SET_CONTAINER",
    "VFIO_SET_IOMMU",
    "VFIO_IOMMU_GET_INFO",
    "VFIO_IOMMU_MAP_DMA",
    "VFIO_GROUP_GET_DEVICE_FD",
    "VFIO_DEVICE_GET_INFO",
    "VFIO_DEVICE_GET_REGION_INFO",
    "read config space",
    "read BAR",
    "VFIO_DEVICE_GET_IRQ_INFO",
    "VFIO_DEVICE_SET_IRQS",
    "VFIO_IOMMU_UNMAP_DMA",
)


@pytest.fixture
def explanation(request):
    return examined(request)


@pytest.mark.parametrize(("name", "more"), [(EDU, ()), (E1000E, ("VFIO_DEVICE_RESET",))])
def test_every_step_passes(explanation, name, more):
    probed = verdict_of(explanation, name).facts.probed
    assert probed.failed == ()
    for step in (*STEPS, *more):
        assert any(each.ok for each in probed.all(step)), step


def test_dma_moves_data_and_interrupts_arrive(explanation):
    verdict = verdict_of(explanation, EDU)
    dma = verdict.facts.probed.step("dma")
    assert (dma.ok, dma.said["same"], dma.said["bytes"]) == (True, 512, 512)
    assert verdict.facts.probed.arrived("MSI") is True
    assert verdict.facts.probed.arrived("INTx") is True
    assert [each.state for each in verdict.layers] == [State.OK] * 5
    assert verdict.exit_code == 0


def test_a_card_is_read_and_nothing_is_claimed_of_its_dma(explanation):
    verdict = verdict_of(explanation, E1000E)
    probed = verdict.facts.probed
    assert probed.step("read config space").said["id"] == "8086:10d3"
    status = int(probed.step("read BAR", bar=0).said["word"], 16)
    assert status not in (0, 0xFFFFFFFF)
    assert {each.said["kind"] for each in probed.all("VFIO_DEVICE_SET_IRQS")} == {
        "INTx",
        "MSI",
        "MSI-X",
    }
    assert (probed.moved, probed.arrived("MSI")) == (None, None)
    states = {each.layer.value: each.state for each in verdict.layers}
    assert states["interrupts"] is states["dma"] is State.NOT_PROVEN
    assert (verdict.exit_code, verdict.diagnoses) == (2, ())


def test_a_device_that_is_not_there(linux):
    with pytest.raises(CaseError, match=r"no device 0000:00:1f\.0"):
        examine(linux, ["0000:00:1f.0"])


def test_a_device_goes_to_vfio_and_back_to_its_driver(linux):
    linux.check("modprobe e1000e")
    links = "ls /sys/bus/pci/devices/0000:00:10.0/net"
    before = linux.check(links)

    survey = examine(linux, [E1000E])

    assert devices(survey)[E1000E].on_vfio
    assert explain(survey).exit_code == 2
    after = devices(Survey.gather(linux))[E1000E]
    assert (after.driver, after.override) == ("e1000e", None)
    assert linux.check(links) == before
    linux.check("rmmod e1000e")


def test_a_device_that_a_guest_has_stays_there(linux):
    """Unbinding would wait until the guest ends."""
    linux.check(MODULES)
    found = Target(Survey.gather(linux)).devices[EDU]
    with on_vfio(linux, [found]):
        group = Target(Survey.gather(linux)).devices[EDU].group
        linux.check(f"(sleep 100 <>/dev/vfio/{group} >/dev/null 2>&1 & echo $! >/run/guest)")

        (verdict,) = explain(examine(linux, [EDU])).verdicts

        assert verdict.primary.name == "in-use"
        assert devices(Survey.gather(linux))[EDU].on_vfio
        linux.check("kill $(cat /run/guest)")
        assert explain(examine(linux, [EDU])).exit_code == 0


@pytest.mark.mutates("linux")
def test_a_device_that_a_file_system_is_on_stays(linux):
    linux.check("modprobe -a virtio_pci virtio_blk vfat nls_cp437 nls_ascii nls_iso8859-1")
    linux.check("mount -t vfat -o ro /dev/vda1 /mnt 2>/dev/null || { mkdir /mnt; "
                "mount -t vfat -o ro /dev/vda1 /mnt; }")  # fmt: skip

    with pytest.raises(CaseError, match=r"the target needs it, /mnt is on it"):
        examine(linux, [DISK])

    assert devices(Survey.gather(linux))[DISK].driver == "virtio-pci"
    assert "Image" in linux.check("ls /mnt")
    assert DISK not in Survey.gather(linux).text("dmesg").partition("vfio-probe")[2]
    linux.check("umount /mnt")


@pytest.mark.slow
@pytest.mark.mutates("linux")
def test_the_probe_is_put_on_a_target_that_has_none(linux):
    linux.check("mv /bin/vfio-probe /bin/gone")

    verdict = explain(examine(linux, [EDU])).verdicts[0]

    assert verdict.exit_code == 0
    linux.check("test -x /run/ubtest-vfio-probe")


@pytest.mark.slow
@pytest.mark.variant
def test_the_probe_in_python_says_the_same(board, kernel):
    """On Debian's python3, which the root file system for Xen has."""
    board.insert(LinuxBoot(kernel))
    board.machine.attach(Disk(rootfs.find("xen").image), board.storage.bus, read_only=True)
    board.boot()
    linux = board.linux(LinuxBoot(kernel))
    linux.check(f"modprobe -a virtio_pci virtio_blk ext4 crc32c_generic; {MODULES}")
    linux.check("mkdir -p /x; mount -t ext4 -o ro,noload /dev/vdb /x")
    for place in ("dev", "sys", "proc", "run"):
        linux.check(f"mount -o bind /{place} /x/{place}")
    linux.write("/run/vfio_probe.py", in_python())
    found = Target(Survey.gather(linux)).devices
    wanted = [found[EDU], found[E1000E]]
    names = " ".join(each.name for each in wanted)

    with on_vfio(linux, wanted):
        in_c = linux.check(f"vfio-probe {names}")
        python = linux.check(f"chroot /x /usr/bin/python3 /run/vfio_probe.py {names}", timeout=120)

    assert Probed.read(in_c).moved is True
    assert [str(each) for each in Probed.read(python).steps] != []
    assert Probed.read(python) == Probed.read(in_c)
