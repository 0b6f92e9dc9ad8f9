"""Stream IDs that meet, and context banks that run out: the rules of arm-smmu and arm-smmu-v3."""

import pytest
from trees import ITS, SMMU, Tree, blob, cells, mcbin, virt

from ubtest.formats.fdt import text
from ubtest.handoff.prediction.fault import Answer, Fault
from ubtest.handoff.prediction.kernels import KERNELS
from ubtest.handoff.prediction.prediction import predict

NIC = "a000000.ethernet"


def with_masters(tree: Tree, *streams: int) -> Tree:
    """More platform devices behind the SMMU."""
    for number, stream in enumerate(streams):
        at = 0xB000000 + 0x1000 * number
        tree[f"usb@{at:x}"] = {"reg": cells(at, 0x1000), "iommus": cells(SMMU, stream)}
    return tree


def test_a_mask_folds_slots_into_four_groups() -> None:
    """As on MacchiatoBin: of a slot's number two bits are left."""
    addresses = [f"00:{slot:02x}.0" for slot in range(10)]
    found = predict(blob(mcbin()), addresses)
    groups = {frozenset({each.name, *each.shares}) for each in found.asked}
    assert len(groups) == 4
    assert found.device("00:03.0").shares == ("0000:00:07.0",)
    assert [each.streams[0].number for each in found.asked[:5]] == [
        0x480,
        0x488,
        0x490,
        0x498,
        0x480,
    ]
    folds = {(each.bus, each.stream): each.slots for each in found.foldings}
    assert folds[0, 0x498] == (3, 7, 11, 15, 19, 23, 27, 31)
    assert len(folds) == 8


def test_without_a_mask_nothing_folds() -> None:
    assert predict(blob(virt())).foldings == ()


def test_one_stream_on_smmu_v3_is_for_who_binds_first() -> None:
    tree = virt()
    tree["pcie"] |= {"iommu-map": cells(0, SMMU, 7, 1), "iommu-map-mask": cells(0)}
    found = predict(blob(tree), ["00:03.0", "00:04.0"])
    for device in found.asked:
        assert (device.faults, device.answer) == ({Fault.STREAM_TAKEN}, Answer.CONDITION)
        assert device.shares == ()


def test_stream_match_mask_makes_neighbours_one_group() -> None:
    tree = with_masters(mcbin(), 0x1440)
    apart = predict(blob(tree), devices=[NIC]).asked[0]
    assert apart.shares == ()
    tree["smmu"]["stream-match-mask"] = cells(0x7C00)
    assert predict(blob(tree), devices=[NIC]).asked[0].shares == ("b000000.usb",)


def test_masks_that_overlap_in_part_are_refused() -> None:
    tree = with_masters(mcbin())
    tree["smmu"]["#iommu-cells"] = cells(2)
    tree["ethernet@a000000"]["iommus"] = cells(SMMU, 0x10, 0x0F)
    tree["usb@1"] = {"reg": cells(1, 1), "iommus": cells(SMMU, 0x28, 0x30)}
    device = predict(blob(tree), devices=[NIC]).asked[0]
    assert Fault.STREAM_TAKEN in device.faults
    tree["usb@1"]["iommus"] = cells(SMMU, 0x18, 0x07)
    assert predict(blob(tree), devices=[NIC]).asked[0].shares == ("1.usb",)


def test_banks_are_the_interrupts_that_are_not_global() -> None:
    (iommu,) = predict(blob(mcbin())).iommus
    assert (iommu.banks, iommu.kind.value, iommu.coherent) == (8, "arm-smmu", True)
    assert predict(blob(virt())).iommus[0].banks is None, "an SMMUv3 has none to run out of"


@pytest.mark.parametrize(
    ("masters", "faults"),
    [(5, {Fault.NOT_ISOLATED}), (6, {Fault.NOT_ISOLATED, Fault.BANKS})],
)
def test_banks_run_out(masters: int, faults: set[Fault]) -> None:
    """Groups of all masters, and two more for a container on 6.1: eight are enough for six."""
    found = predict(blob(with_masters(mcbin(), *range(0x450, 0x450 + masters))), devices=[NIC])
    (budget,) = found.budgets
    assert budget.groups == masters + 1
    assert [budget.needs(kernel) for kernel in KERNELS] == [masters + 3, masters + 2]
    assert found.asked[0].faults == faults
    assert found.asked[0].group, "the group is there; VFIO_SET_IOMMU answers ENOSPC"


def test_a_bus_is_told_of_the_bank_that_a_function_of_it_takes() -> None:
    tree = with_masters(mcbin(), *range(0x450, 0x455))
    found = predict(blob(tree))
    assert Fault.BANKS not in found.device(NIC).faults
    assert "9 on 6.1" in found.device("0000:*").findings[0].what


def test_a_shared_group_takes_one_bank_and_one_entry() -> None:
    tree = with_masters(mcbin(), 0x440)
    (budget,) = predict(blob(tree), ["00:03.0", "00:07.0", "00:01.0"]).budgets
    assert (budget.groups, budget.entries) == (3, 3)


def test_interrupts_are_isolated_by_the_kernels_own_rule() -> None:
    """6.1 looks at every controller of the machine, 6.12 at the device's own."""
    tree = virt()
    tree["intc"]["v2m"] = {"compatible": text("arm,gic-v2m-frame"), "msi-controller": b""}
    (finding,) = predict(blob(tree), ["00:03.0"]).asked[0].findings
    assert finding.fault is Fault.NOT_ISOLATED
    assert finding.what.endswith("on 6.1")
    device = predict(blob(tree), ["00:03.0"]).asked[0]
    assert (device.on("6.1").opens, device.on("6.12").opens) == (False, True)
    tree["intc"]["v2m"]["status"] = text("disabled")
    assert predict(blob(tree), ["00:03.0"]).asked[0].answer is Answer.YES
    del tree["intc"]["v2m"]["status"]
    tree["pcie"]["msi-map"] = cells(0, 9, 0, 0x10000)
    tree["intc"]["v2m"]["phandle"] = cells(9)
    assert not predict(blob(tree), ["00:03.0"]).asked[0].findings[0].what.endswith("on 6.1")
    del tree["intc"]["v2m"], tree["pcie"]["msi-map"]
    tree["pcie"]["msi-parent"] = cells(ITS, 0)
    assert predict(blob(tree), ["00:03.0"]).asked[0].answer is Answer.YES
