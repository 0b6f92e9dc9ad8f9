"""What a device tree lets the kernel pass through: each fault under its own name, none guessed."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import ITS, NOTHING, SMMU, Tree, blob, cells, mcbin, virt

from ubtest.cli.handoff_predict_text import as_json, lines
from ubtest.formats.fdt import text
from ubtest.formats.record import FormatError
from ubtest.handoff.prediction.device import Device
from ubtest.handoff.prediction.fault import Answer, Fault
from ubtest.handoff.prediction.prediction import predict

Edit = Callable[[Tree], object]
NIC = "a000000.ethernet"


def function(tree: Tree, address: str = "00:03.0", **options: bool) -> Device:
    return predict(blob(tree), [address], **options).device(address)


def test_a_good_tree_passes_through() -> None:
    found = predict(blob(virt()), ["00:03.0", "0000:ff:1f.7"], ["nic"])
    assert [each.name for each in found.asked] == [NIC, "0000:00:03.0", "0000:ff:1f.7"]
    assert {each.answer for each in found.asked} == {Answer.YES}
    nic, first, last = found.asked
    assert [stream.number for each in found.asked for stream in each.streams] == [0x500, 24, 0xFFFF]
    assert all(
        (each.group, each.dma, each.msi) == (True, True, True) for each in (nic, first, last)
    )
    assert (nic.driver, first.driver, first.shares) == ("vfio-platform", "vfio-pci", ())


PCI_FAULTS: dict[str, tuple[Edit, Fault]] = {
    "no IOMMU": (lambda t: (t.pop("smmu"), t["pcie"].pop("iommu-map")), Fault.NO_IOMMU),
    "the SMMU's node is gone": (lambda t: t.pop("smmu"), Fault.NO_IOMMU),
    "map removed": (lambda t: t["pcie"].pop("iommu-map"), Fault.NO_MAP),
    "bad phandle": (
        lambda t: t["pcie"].update({"iommu-map": cells(0, NOTHING, 0, 0x10000)}),
        Fault.BAD_PHANDLE,
    ),
    "phandle of another node": (
        lambda t: t["pcie"].update({"iommu-map": cells(0, 2, 0, 0x10000)}),
        Fault.BAD_PHANDLE,
    ),
    "SMMU disabled": (
        lambda t: t["smmu"].update({"status": text("disabled")}),
        Fault.IOMMU_DISABLED,
    ),
    "map short": (
        lambda t: t["pcie"].update({"iommu-map": cells(0, SMMU, 0, 0x18)}),
        Fault.MAP_SHORT,
    ),
    "mask 0": (lambda t: t["pcie"].update({"iommu-map-mask": cells(0)}), Fault.MASK_ZERO),
    "mask hides a row": (
        lambda t: t["pcie"].update(
            {"iommu-map": cells(0x100, SMMU, 0, 1), "iommu-map-mask": cells(0xFF)}
        ),
        Fault.MASK_HIDES_ROW,
    ),
    "map malformed": (
        lambda t: t["pcie"].update({"iommu-map": cells(0, SMMU, 0)}),
        Fault.MALFORMED,
    ),
    "map empty": (lambda t: t["pcie"].update({"iommu-map": b""}), Fault.MALFORMED),
    "SMMU not coherent": (lambda t: t["smmu"].pop("dma-coherent"), Fault.NOT_COHERENT),
    "no msi-map": (lambda t: t["pcie"].pop("msi-map"), Fault.NO_MSI),
    "msi-map short": (
        lambda t: t["pcie"].update({"msi-map": cells(0, 2, 0, 0x18)}),
        Fault.NO_MSI,
    ),
    "ITS disabled": (lambda t: t["intc"]["its"].update({"status": text("disabled")}), Fault.NO_MSI),
    "GICv2m": (
        lambda t: t["intc"]["its"].update({"compatible": text("arm,gic-v2m-frame")}),
        Fault.NOT_ISOLATED,
    ),
}


@pytest.mark.parametrize(("edit", "fault"), PCI_FAULTS.values(), ids=PCI_FAULTS)
def test_a_fault_has_its_own_name(edit: Edit, fault: Fault) -> None:
    tree = virt()
    edit(tree)
    device = function(tree)
    assert device.findings[0].fault is fault
    # without a controller of its own 6.12 does not take a device's interrupts for isolated
    assert device.faults - {fault} <= ({Fault.NOT_ISOLATED} if fault is Fault.NO_MSI else set())
    assert device.answer is fault.answer
    assert device.findings[0].fix


@pytest.mark.parametrize("name", sorted(PCI_FAULTS.keys() - {"map short", "msi-map short"}))
def test_the_whole_bus_has_the_fault_as_well(name: str) -> None:
    """But for what depends on the function that is asked for."""
    edit, fault = PCI_FAULTS[name]
    tree = virt()
    edit(tree)
    assert predict(blob(tree)).device("0000:*").findings[0].fault is fault


def test_a_map_too_short_is_so_for_what_it_leaves_out() -> None:
    tree = virt()
    tree["pcie"]["iommu-map"] = cells(0, SMMU, 0x100, 0x18)
    inside, outside = function(tree, "00:02.7"), function(tree, "00:03.0")
    assert inside.streams[0].number == 0x117
    assert (inside.group, outside.group) == (True, False)
    assert "ID 0x18 of 00:03.0" in outside.findings[0].what
    assert outside.findings[0].fix[0] == "&{/pcie} { iommu-map = <0x0 &{/smmu} 0x100 0x19>; };"


def test_a_mask_of_zero_keeps_the_group_and_loses_the_dma() -> None:
    tree = virt()
    tree["pcie"]["iommu-map-mask"] = cells(0)
    device = function(tree)
    assert (device.group, device.dma, device.streams[0].number) == (True, False, 0)
    tree["pcie"]["iommu-map"] = cells(0, SMMU, 0x40, 1)
    assert function(tree).answer is Answer.YES, "one ID for all is a machine as it may be"


def test_msi_maps_have_a_mask_too() -> None:
    tree = virt()
    tree["pcie"] |= {"msi-map": cells(0, ITS, 0, 1), "msi-map-mask": cells(0)}
    assert function(tree).answer is Answer.YES


def test_a_wrong_stream_id_is_not_guessed() -> None:
    tree = virt()
    tree["pcie"]["iommu-map"] = cells(0, SMMU, 0x100, 0x10000)
    found = predict(blob(tree), ["00:03.0"])
    assert found.device("00:03.0").answer is Answer.YES
    assert any("stream IDs" in each for each in found.unknown)


def test_unsafe_interrupts_are_a_condition_that_can_be_met() -> None:
    tree = mcbin()
    assert function(tree).faults == {Fault.NOT_ISOLATED}
    assert function(tree, unsafe_interrupts=True).answer is Answer.YES


PLATFORM_FAULTS: dict[str, tuple[Edit, Fault]] = {
    "no iommus": (lambda t: t[f"ethernet@{NIC[:7]}"].pop("iommus"), Fault.NO_IOMMUS),
    "bad phandle": (
        lambda t: t[f"ethernet@{NIC[:7]}"].update({"iommus": cells(NOTHING, 1)}),
        Fault.BAD_PHANDLE,
    ),
    "no ID": (lambda t: t[f"ethernet@{NIC[:7]}"].update({"iommus": cells(SMMU)}), Fault.MALFORMED),
    "SMMU disabled": (
        lambda t: t["smmu"].update({"status": text("disabled")}),
        Fault.IOMMU_DISABLED,
    ),
    "no IOMMU": (lambda t: t.pop("smmu"), Fault.NO_IOMMU),
    "device disabled": (
        lambda t: t[f"ethernet@{NIC[:7]}"].update({"status": text("disabled")}),
        Fault.DEVICE_DISABLED,
    ),
}


@pytest.mark.parametrize(("edit", "fault"), PLATFORM_FAULTS.values(), ids=PLATFORM_FAULTS)
def test_a_platform_device_has_faults_of_its_own(edit: Edit, fault: Fault) -> None:
    tree = virt()
    edit(tree)
    device = predict(blob(tree), devices=["/ethernet@a000000"]).device(NIC)
    assert device.faults == {fault}
    assert (device.answer, device.group) == (Answer.NO, False)


def test_who_has_no_iommus_also_hears_that_the_iommu_is_off() -> None:
    tree = virt()
    tree["smmu"]["status"] = text("disabled")
    del tree["ethernet@a000000"]["iommus"], tree["pcie"]["iommu-map"]
    found = predict(blob(tree))
    assert found.device(NIC).faults == {Fault.NO_IOMMUS, Fault.IOMMU_DISABLED}
    assert found.device("0000:*").faults == {Fault.NO_MAP, Fault.IOMMU_DISABLED}


def test_what_a_setting_can_mend_is_a_condition() -> None:
    assert {fault for fault in Fault if fault.answer is Answer.CONDITION} == {
        Fault.STREAM_TAKEN,
        Fault.BANKS,
        Fault.NO_MSI,
        Fault.NOT_ISOLATED,
    }


def test_a_proposed_line_names_an_iommu_that_is_on() -> None:
    tree = virt()
    tree = {"off": {**tree["smmu"], "phandle": cells(7), "status": text("disabled")}} | tree
    del tree["pcie"]["iommu-map"]
    (finding,) = function(tree).findings
    assert "<0x0 &{/smmu} STREAM 0x10000>" in finding.fix[0]


def test_proposed_lines_use_the_labels_that_the_tree_has() -> None:
    tree = virt()
    tree["__symbols__"] = {"smmu": text("/smmu"), "eth": text("/ethernet@a000000")}
    del tree["ethernet@a000000"]["iommus"]
    (finding,) = predict(blob(tree), devices=["eth"]).device(NIC).findings
    assert finding.fix == ("&eth { iommus = <&smmu STREAM>; };",)


@pytest.mark.parametrize("name", ["/ethernet@a000000", "nic", "label", NIC])
def test_a_device_is_found_by_each_of_its_names(name: str) -> None:
    tree = virt()
    tree["__symbols__"] = {"label": text("/ethernet@a000000")}
    (device,) = predict(blob(tree), devices=[name]).asked
    assert device.path == "/ethernet@a000000"


@pytest.mark.parametrize(
    ("pci", "devices", "why"),
    [
        (["3.0"], [], "no PCI address"),
        (["00:20.0"], [], "no PCI address"),
        (["00:03.8"], [], "no PCI address"),
        (["0001:00:03.0"], [], "no enabled PCI host bridge"),
        ([], ["/none"], "/none"),
    ],
)
def test_what_is_not_there_is_bad_input(pci: list[str], devices: list[str], why: str) -> None:
    with pytest.raises(FormatError, match=why):
        predict(blob(virt()), pci, devices)


def test_with_two_bridges_the_domain_must_be_said() -> None:
    tree = virt()
    tree["pcie2"] = {**tree["pcie"], "linux,pci-domain": cells(5)}
    with pytest.raises(FormatError, match="0000, 0005"):
        predict(blob(tree), ["00:03.0"])
    (device,) = predict(blob(tree), ["0005:00:03.0"]).asked
    assert device.path == "/pcie2"
    tree["pcie2"]["status"] = text("disabled")
    assert predict(blob(tree), ["00:03.0"]).asked[0].path == "/pcie"


def test_what_the_bus_decides_is_said_to_be_so() -> None:
    found = predict(blob(virt()), ["00:03.0", "00:03.1", "01:00.0"])
    assert found.device("00:03.0").shares == ("0000:00:03.1",)
    assert "ACS" in found.device("00:03.1").live[0]
    assert "bridge" in found.device("01:00.0").live[0]


@settings(deadline=None)
@given(st.data())
def test_no_tree_breaks_the_prediction(data: st.DataObject) -> None:
    """Any word of a tree may be any other: it is refused as input, or judged."""
    wire = bytearray(blob(data.draw(st.sampled_from([virt(), mcbin()]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = 4 * data.draw(st.integers(10, len(wire) // 4 - 1))
        word = data.draw(st.integers(0, 16) | st.integers(0, 2**32 - 1))
        wire[at : at + 4] = word.to_bytes(4, "big")
    with contextlib.suppress(FormatError):
        found = predict(bytes(wire), ["0000:00:03.0", "0000:01:00.0"])
        assert len(list(lines(found))) > 5
        assert as_json(found)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ethernet@a000000", NIC),
        ("/smmu", "smmu"),
        ("/intc/its", "intc:its"),
        ("/ethernet@a000000/port", f"{NIC}:port"),
    ],
)
def test_names_are_those_of_the_kernel(path: str, name: str) -> None:
    tree = virt()
    tree["ethernet@a000000"]["port"] = {"compatible": text("x")}
    assert predict(blob(tree), devices=[path]).asked[0].name == name
