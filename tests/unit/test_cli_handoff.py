"""`ubtest handoff predict`: what people and programs get, and the exit code."""

import io
import json
import sys
from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.formats.fdt import cell, flatten, text

MSI = {
    "compatible": text("arm,gic-v3-its"),
    "phandle": cell(2),
    "#msi-cells": cell(1),
    "msi-controller": b"",
}
SMMU = {
    "compatible": text("arm,smmu-v3"),
    "phandle": cell(1),
    "#iommu-cells": cell(1),
    "dma-coherent": b"",
}
PCIE = {
    "compatible": text("pci-host-ecam-generic"),
    "device_type": text("pci"),
    "iommu-map": cell(0) + cell(1) + cell(0) + cell(0x18),
    "msi-map": cell(0) + cell(2) + cell(0) + cell(0x10000),
}
TREE = flatten({"smmu": SMMU, "its": MSI, "pcie": PCIE})


@pytest.fixture
def tree(tmp_path: Path) -> str:
    path = tmp_path / "board.dtb"
    path.write_bytes(TREE)
    return str(path)


def test_the_exit_code_is_about_what_was_asked(tree: str, capsys) -> None:
    assert main(["handoff", "predict", tree, "--pci", "00:02.0"]) == 0
    assert main(["handoff", "predict", tree, "--pci", "00:02.0", "--pci", "00:03.0"]) == 1
    said = capsys.readouterr().out
    assert "verdict: 1 of 2 can be passed through, 0 on a condition, 1 not" in said
    assert "no: iommu-map too short" in said
    assert "&{/pcie} { iommu-map = <0x0 &{/smmu} 0x0 0x19>; };" in said


def test_without_a_question_all_is_judged(tree: str, capsys) -> None:
    assert main(["handoff", "predict", tree]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "IOMMU  /smmu  arm,smmu-v3: arm-smmu-v3, enabled"
    assert any(line.split() == ["0000:*", "vfio-pci", "-", "-", "yes"] for line in said)


def test_json_has_what_follows_too(tree: str, capsys) -> None:
    assert main(["handoff", "predict", tree, "--pci", "00:03.0", "--json"]) == 1
    (device,) = json.loads(capsys.readouterr().out)["devices"]
    assert (device["name"], device["answer"], device["group"]) == ("0000:00:03.0", "no", False)
    assert [each["fault"] for each in device["findings"]] == ["iommu-map too short"]


def test_a_tree_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TREE)))
    assert main(["handoff", "predict", "-"]) == 0


def test_nothing_to_pass_through_is_no_success(tmp_path: Path, capsys) -> None:
    (tmp_path / "t").write_bytes(flatten({"model": text("bare")}))
    assert main(["handoff", "predict", str(tmp_path / "t")]) == 1
    assert "nothing to pass through" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (b"", [], "less than a header"),
        (TREE[:-1], [], "totalsize"),
        (b"/dts-v1/; / { };", [], "compile it with dtc"),
        (b"// SPDX\n/dts-v1/; / { };", [], "compile it with dtc"),
        (TREE, ["--pci", "eth0"], "'eth0' is no PCI address"),
        (TREE, ["--device", "\x1b[2Jeth"], "no node, alias, label"),
        (bytes((16 << 20) + 1), [], "more than 16 MiB"),
    ],
)
def test_bad_input_says_what_is_bad(
    content: bytes, arguments: list[str], says: str, tmp_path: Path, capsys
) -> None:
    (tmp_path / "t.dtb").write_bytes(content)
    assert main(["handoff", "predict", str(tmp_path / "t.dtb"), *arguments]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("name", [".", "none.dtb", "nul\0"])
def test_what_cannot_be_read_is_bad_input(name: str, tmp_path: Path, capsys) -> None:
    assert main(["handoff", "predict", str(tmp_path / name)]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path: Path, capsys) -> None:
    smmu = {**SMMU, "compatible": text("\x1b[2J")}
    (tmp_path / "t").write_bytes(flatten({"smmu": smmu, "pcie": PCIE}))
    main(["handoff", "predict", str(tmp_path / "t")])
    assert "\x1b" not in capsys.readouterr().out
