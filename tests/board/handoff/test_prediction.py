"""What is told from the device tree alone is what the kernel makes of it."""

import pytest

from ubtest.handoff.binding import examine
from ubtest.handoff.devices import devices
from ubtest.handoff.prediction.fault import Fault
from ubtest.handoff.prediction.prediction import predict
from ubtest.handoff.vfio import Probed
from ubtest.kernel.bundle import find
from ubtest.lab.linux_boot import LinuxBoot

pytestmark = pytest.mark.needs("linux")

PCIE, SMMU = "/pcie@10000000", "/smmuv3@9050000"
E1000E, NET, EDU = NAMES = ("0000:00:10.0", "0000:00:11.0", "0000:00:12.0")
WITH_SMMU = f"fdt get value smmu {SMMU} phandle"
OTHERS = "0x0 ${smmu} 0x0 0x80"  # those in front, among them the disk

TREES = {
    "good": (),
    "e1000e bad phandle, edu left out": (
        WITH_SMMU,
        f"fdt set {PCIE} iommu-map <{OTHERS} 0x80 0x9999 0x80 0x8 0x88 ${{smmu}} 0x88 0x8>",
    ),
    "no msi-map": (f"fdt rm {PCIE} msi-map",),
}
MORE_TREES = {
    "map removed": (f"fdt rm {PCIE} iommu-map",),
    "SMMU disabled": (f"fdt set {SMMU} status disabled",),
    "one stream for all": (f"fdt set {PCIE} iommu-map-mask <0x0>",),
    "SMMU not coherent": (f"fdt rm {SMMU} dma-coherent",),
}
MACHINES = ("virt,gic-version=2,iommu=smmuv3", "virt,gic-version=3")
KERNELS = ("debian:6.1", "debian:6.12")


@pytest.mark.parametrize("edits", TREES.values(), ids=TREES)
def test_the_prediction_is_what_happens(board, results, edits):
    compare(board, results, LinuxBoot(find("debian:6.1"), tree=edits))


@pytest.mark.slow
@pytest.mark.variant
@pytest.mark.parametrize("edits", TREES.values(), ids=TREES)
def test_the_prediction_is_what_happens_on_the_other_kernel(board, results, edits):
    compare(board, results, LinuxBoot(find("debian:6.12"), tree=edits))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("edits", MORE_TREES.values(), ids=MORE_TREES)
def test_the_prediction_is_right_where_all_devices_have_a_fault(board, results, edits, kernel):
    compare(board, results, LinuxBoot(find(kernel), tree=edits))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_prediction_is_right_for_other_machines(board, results, machine, kernel):
    board.machine.shape(machine=machine)
    compare(board, results, LinuxBoot(find(kernel)))


def compare(board, results, boot: LinuxBoot) -> None:
    """Bind each device to VFIO and hold what happens against what was told."""
    shell = board.linux(boot)
    survey = examine(shell, NAMES)
    survey.save(results.folder / "survey.tar.gz")
    prediction = predict(survey.files["fdt"], NAMES)
    live = devices(survey)
    told, seen = {}, {}
    for name in NAMES:
        device = prediction.device(name).on(boot.kernel.version)
        if Fault.STREAM_TAKEN in device.faults:  # who binds first has it
            assert sum(live[each].group is not None for each in NAMES) <= 1
            continue
        probed = Probed.read(survey.text(f"probe/{name}"))
        siblings = tuple(n for n in NAMES if n != name and live[n].group == live[name].group)
        grouped = live[name].group is not None
        told[name] = {"group": device.group, "shares": device.shares, "opens": device.opens}
        seen[name] = {
            "group": grouped,
            "shares": siblings if grouped else (),
            "opens": probed.opened,
        }
        if name == EDU and probed.opened:  # the one that moves data when it is told to
            dma, msi = probed.step("dma"), probed.step("interrupt", kind="MSI")
            told[name] |= {"dma": device.dma, "msi": device.msi}
            seen[name] |= {"dma": bool(dma and dma.ok), "msi": bool(msi and msi.ok)}
    assert told == seen
