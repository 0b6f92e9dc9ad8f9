"""Looking around in a device tree: what dtc was told is what is found."""

from pathlib import Path

import pytest

from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.fdt import cell, flatten, parse, text
from ubtest.formats.record import FormatError
from ubtest.run import run

SOURCE = """/dts-v1/; / {
    #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
    aliases { net0 = "/soc/config-space@f2000000/nic@100"; soc = &soc; loop = "loop"; };
    chosen { bootargs = "quiet"; };
    gic: gic { #interrupt-cells = <3>; #address-cells = <0>; };
    clock: clock { #clock-cells = <0>; };
    soc: soc {
        #address-cells = <1>; #size-cells = <1>; ranges = <0x10000000 0 0xf0000000 0x8000000>;
        icu: icu { #interrupt-cells = <2>; };
        config-space@f2000000 {
            ranges = <0 0x12000000 0x1000>;
            nic@100 { reg = <0x100 0x10 0x200 0x20>;
                interrupt-parent = <&icu>; interrupts = <1 4>, <2 4>;
                clocks = <&clock>, <0>, <&two 7 8>; compatible = "a,nic", "a,any"; };
        };
        off@0 { reg = <0 1>; status = "disabled"; below { status = "okay"; }; };
        two: two { #clock-cells = <2>; interrupts = <0 1 4>; };
        wired { interrupts-extended = <&gic 0 9 4>, <&icu 3 4>; };
    };
    pci: pcie@40000000 {
        #address-cells = <3>; #size-cells = <2>;
        ranges = <0x1000000 0 0 0 0x3eff0000 0 0x10000>,
            <0x2000000 0 0x10000000 0 0x50000000 0 0x1000>;
        iommu-map = <0x0 &two 0x480 0x20>, <0x100 0xdead 0x4a0 0x20>;
        dev@1,0 { reg = <0x2000800 0 0x10000010 0 0x100>; };
        dev@2,0 { reg = <0x2001000 0 0x10 0 0x100>; };
    };
};"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> DeviceTree:
    folder: Path = tmp_path_factory.mktemp("tree")
    (folder / "t.dts").write_text(SOURCE)
    run(["dtc", "-q", "-@", "-O", "dtb", "-o", folder / "t.dtb", folder / "t.dts"])
    return parse((folder / "t.dtb").read_bytes())


def node(tree: DeviceTree, path: str):
    found = tree.at(path)
    assert found is not None, path
    return found


def test_nodes_are_found_by_path_and_alias(tree: DeviceTree) -> None:
    nic = node(tree, "/soc/config-space@f2000000/nic@100")
    assert node(tree, "net0") is nic
    assert node(tree, "soc/config-space@f2000000/nic@100") is nic
    assert node(tree, "/") is tree.root
    assert (nic.path, tree.root.path) == ("/soc/config-space@f2000000/nic@100", "/")
    assert tree.chosen is not None
    assert tree.chosen.string("bootargs") == "quiet"


@pytest.mark.parametrize("path", ["/none", "/soc/none/deeper", "none", "loop", ""])
def test_what_is_not_there_is_not_found(tree: DeviceTree, path: str) -> None:
    assert tree.at(path) is None


def test_labels_are_those_of_the_source(tree: DeviceTree) -> None:
    assert tree.labels["/soc/two"] == "two"
    assert parse(flatten({"a": {}})).labels == {}


def test_a_disabled_node_hides_what_is_below(tree: DeviceTree) -> None:
    below = node(tree, "/soc/off@0/below")
    assert (below.enabled, below.reachable) == (True, False)
    assert node(tree, "/soc/two").reachable


def test_properties_are_numbers_and_strings(tree: DeviceTree) -> None:
    nic = node(tree, "net0")
    assert nic.compatible == ("a,nic", "a,any")
    assert nic.cells("interrupts") == (1, 4, 2, 4)
    assert (nic.number("none"), nic.string("none"), nic.strings("none")) == (None, None, ())
    with pytest.raises(FormatError, match="no whole cells"):
        parse(flatten({"odd": b"123"})).root.cells("odd")


def test_cells_come_from_the_nearest_bus(tree: DeviceTree) -> None:
    """`config-space` has none of its own: the kernel takes those of the bus above."""
    assert node(tree, "net0").reg == ((0x100, 0x10), (0x200, 0x20))
    wide = parse(flatten({"#address-cells": cell(2), "a": {"reg": cell(1) + cell(2) + cell(3)}}))
    assert node(wide, "/a").reg == ((0x1_00000002, 3),)
    with pytest.raises(FormatError, match="rows of 8"):
        assert node(parse(flatten({"a": {"reg": cell(1)}})), "/a").reg


def test_an_address_goes_up_through_ranges(tree: DeviceTree) -> None:
    assert tree.address(node(tree, "net0")) == 0xF2000100
    assert tree.address(node(tree, "net0"), 1) == 0xF2000200
    assert tree.address(node(tree, "/pcie@40000000/dev@1,0")) == 0x50000010
    assert tree.address(node(tree, "/pcie@40000000/dev@2,0")) is None, "only I/O is there"
    assert tree.address(node(tree, "/soc/off@0")) is None, "no range holds it"
    assert tree.address(node(tree, "/clock")) is None, "it has no reg"


def test_a_list_of_phandles_asks_each_node_for_its_cells(tree: DeviceTree) -> None:
    nic = node(tree, "net0")
    found = tree.references(nic, "clocks", "#clock-cells")
    assert [(each.node and each.node.name, each.cells) for each in found] == [
        ("clock", ()),
        (None, ()),
        ("two", (7, 8)),
    ]
    with pytest.raises(FormatError, match="/clock has no #none"):
        tree.references(nic, "clocks", "#none")


def test_a_list_of_phandles_may_be_broken() -> None:
    other = {"phandle": cell(1), "#x-cells": cell(2)}
    broken = parse(flatten({"x": cell(9) + cell(1), "y": cell(1) + cell(5), "other": other}))
    (lost,) = broken.references(broken.root, "x", "#x-cells")
    assert (lost.phandle, lost.node) == (9, None)
    with pytest.raises(FormatError, match="ends early"):
        broken.references(broken.root, "y", "#x-cells")


def test_interrupts_belong_to_the_nearest_controller(tree: DeviceTree) -> None:
    def seen(path: str) -> list[tuple[str, tuple[int, ...]]]:
        found = tree.interrupts(node(tree, path))
        return [(each.node.name if each.node else "", each.cells) for each in found]

    assert seen("net0") == [("icu", (1, 4)), ("icu", (2, 4))]
    assert seen("/soc/two") == [("gic", (0, 1, 4))]
    assert seen("/soc/wired") == [("gic", (0, 9, 4)), ("icu", (3, 4))]
    assert seen("/clock") == []
    with pytest.raises(FormatError, match="no controller"):
        alone = parse(flatten({"interrupts": cell(1)}))
        alone.interrupts(alone.root)


def test_a_map_has_rows_of_four_cells(tree: DeviceTree) -> None:
    first, lost = tree.mapped(node(tree, "/pcie@40000000"), "iommu-map")
    assert first.node is tree.at("/soc/two")
    assert (first.translate(0x1F), first.translate(0x20)) == (0x49F, None)
    assert (lost.phandle, lost.node, lost.translate(0x101)) == (0xDEAD, None, 0x4A1)
    short = parse(flatten({"iommu-map": cell(1) * 5}))
    with pytest.raises(FormatError, match="rows of 16"):
        short.mapped(short.root, "iommu-map")


def test_of_two_equal_phandles_the_first_counts() -> None:
    twice = parse(flatten({"a": {"phandle": cell(1)}, "b": {"linux,phandle": cell(1)}}))
    assert twice.phandles == {1: twice.at("/a")}


def test_text_of_no_meaning_is_escaped() -> None:
    assert parse(flatten({"a": b"\xff\0" + text("b")})).root.strings("a") == (r"\xff", "b")
