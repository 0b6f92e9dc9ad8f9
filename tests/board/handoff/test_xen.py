"""U-Boot's EFI boot manager starts Debian's Xen, which starts a Linux as dom0."""

from contextlib import contextmanager

import pytest
from handoff_plans import HOLE, KERNELS, POOL, RESERVED_MEMORY, reserved

from ubtest.errors import CaseError, FirmwareError, KernelCrash
from ubtest.handoff import xen_rules
from ubtest.handoff.spans import Spans
from ubtest.handoff.xen import XL, XenHandoff, dom0
from ubtest.kernel import xen
from ubtest.kernel.bundle import find
from ubtest.lab.xen_boot import XEN, XenBoot, started

pytestmark = [pytest.mark.slow, pytest.mark.variant, pytest.mark.needs("linux")]

MiB = 1 << 20
MEMORY, CPUS = 1024, 2  # MiB
# Xen 4.17 of Debian drives no SMMUv3; dom0 would, see the last test
EL2 = "virt,gic-version=3,virtualization=on"
ENTRY = (0x66500000, 0x100000)  # out of dom0's way, which Xen puts at the lowest free 512 MiB
HALF = "fdt set /memory@40000000 reg <0 0x40000000 0 0x20000000>"


@pytest.fixture
def hypervisor(board, tmp_path):
    """A board that can run Xen, and what boots it there."""
    board.machine.shape(machine=EL2, memory=f"{MEMORY}M", smp=CPUS)

    def hypervisor(kernel=KERNELS[0], **changes) -> XenBoot:
        return XenBoot(xen.dom0(find(kernel), tmp_path / "initrd.gz"), **changes)

    return hypervisor


@pytest.fixture
def handed(board, results):
    """Boots Xen and judges nothing yet."""

    @contextmanager
    def handed(boot):
        with dom0(board, boot) as (shell, survey):
            survey.save(results.folder / "xen.tar.gz")
            yield shell, XenHandoff.read(survey)

    return handed


def rules(handoff):
    return {each.rule for each in xen_rules.findings(handoff)}


def place(at):
    return Spans.of([(at[0], at[0] + at[1])])


@pytest.mark.parametrize("kernel", KERNELS)
def test_dom0_gets_what_u_boot_had(handed, hypervisor, kernel):
    with handed(hypervisor(kernel)) as (shell, handoff):
        assert xen_rules.findings(handoff) == []
        assert shell.read("/proc/xen/capabilities") == b"control_d\n"
        assert shell.check("cat /sys/hypervisor/type") == "xen"
        assert shell.check("cat /proc/sys/kernel/osrelease") == find(kernel).release
        assert shell.run("ls /sys/firmware/efi").status != 0

    memory = [each for each in handoff.prompt if each.is_memory]
    assert sum(each.end - each.start for each in memory) == MEMORY * MiB
    info = handoff.info
    assert info["xen_version"].startswith("4.17.")
    assert (info["xen_major"], info["xen_minor"]) == ("4", "17")
    assert {"hvm", "hap"} <= {*info["virt_caps"].split()}
    assert info["nr_cpus"] == str(CPUS)
    assert int(info["total_memory"]) == MEMORY - 1  # the firmware keeps less than 1 MiB
    assert handoff.dom0.size == 512 * MiB


def test_the_shell_of_dom0_is_exact(handed, hypervisor):
    """Although Xen prints in between, and drops what is typed too fast."""
    with handed(hypervisor()) as (shell, _):
        tree = shell.read("/sys/firmware/fdt")
        flood = f"for n in 1 2 3 4 5 6; do {XL} debug-keys r; done; : >/run/flooded"
        shell.check(f"({flood}) >/dev/null 2>&1 &")
        assert shell.read("/sys/firmware/fdt") == tree
        shell.check("until [ -e /run/flooded ]; do sleep 0.1; done", timeout=60)
        assert shell.check(f"{XL} dmesg").count("Online Cpus") == 6
        data = bytes(range(256)) * 4
        shell.write("/run/typed", data, timeout=120)
        assert shell.read("/run/typed") == data


def test_dom0_mem_is_honoured(handed, hypervisor):
    with handed(hypervisor(options="dom0_mem=256M")) as (_, handoff):
        assert xen_rules.findings(handoff) == []
    assert handoff.dom0.size == 256 * MiB == handoff.dom0_ram.size


def test_reserved_memory_is_not_given_away(handed, hypervisor):
    tree = (
        *RESERVED_MEMORY,
        *reserved("hole", HOLE, "no-map"),
        *reserved("pool", POOL),
        f"fdt rsvmem add {ENTRY[0]:#x} {ENTRY[1]:#x}",
    )
    with handed(hypervisor(tree=tree, options="dom0_mem=256M")) as (_, handoff):
        assert xen_rules.findings(handoff) == []
    for at in (HOLE, ENTRY):
        assert not place(at) & handoff.ram
    for at in (HOLE, POOL):
        assert not place(at) - Spans.of(handoff.log.kept)


def test_memory_that_the_tree_does_not_have_is_noticed(handed, hypervisor):
    """Xen believes the memory map, and the map is not made of this tree."""
    with handed(hypervisor(tree=(HALF,))) as (_, handoff):
        assert rules(handoff) == {xen_rules.NOT_INVENTED}
    assert handoff.ram.size > 1000 * MiB


def test_a_kernel_that_is_not_there_is_said_by_xen(board, hypervisor):
    with (
        pytest.raises(CaseError, match=r"Xen ran and went back.*nothing") as caught,
        started(board, hypervisor(dom0="nothing")),
    ):
        pass
    assert "xen.cfg" in caught.value.next_step


def test_an_xen_that_is_not_started_is_no_matter_of_xen(board, hypervisor):
    boot = hypervisor()
    board.insert(boot)
    spoil = f"mw.b ${{kernel_addr_r}} 0 1000; save virtio 0:1 ${{kernel_addr_r}} {XEN} 1000"
    board.boot().check(f"virtio scan; {spoil}")
    with pytest.raises(FirmwareError, match="the kernel was not started"), started(board, boot):
        pass


def test_more_memory_for_dom0_than_there_is_makes_xen_panic(board, hypervisor):
    with (
        pytest.raises(KernelCrash, match=r"Xen panicked: .* dom0 memory"),
        started(board, hypervisor(options=f"dom0_mem={4 * MEMORY}M")),
    ):
        pass


@pytest.mark.known_bug("xen-dom0-behind-smmu")
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_device_of_dom0_does_dma_behind_the_smmu(board, hypervisor, kernel):
    boot = hypervisor(kernel)
    board.machine.shape(machine=f"{EL2},iommu=smmuv3")
    with started(board, boot) as shell:
        shell.check("modprobe virtio_pci")
        log = shell.check("dmesg")
        assert "virtio-pci 0000:00:03.0: Adding to iommu group" in log
        assert "Failed to enable 64-bit or 32-bit DMA" not in log
        shell.check("modprobe virtio_blk")
        assert shell.run("head -c 512 /dev/vda | tail -c 2").output == b"\x55\xaa"
