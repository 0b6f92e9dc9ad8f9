"""`ubtest handoff predict` on trees that others made: QEMU's own, and Debian's of the MacchiatoBin.

The kernel must have been fetched: `ubtest kernel get debian:6.1`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ubtest.cli import main
from ubtest.kernel.bundle import find
from ubtest.run import run

SMMU = "/ap806/config-space@f0000000/iommu@5000000"


@pytest.fixture
def predict(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Exit code and answer of the command."""

    def predict(tree: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["handoff", "predict", str(tree), "--json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return predict


def faults(device: dict[str, Any]) -> list[str]:
    return [each["fault"] for each in device["findings"]]


@pytest.fixture(scope="module")
def mcbin() -> Path:
    return next(find("debian:6.1").dtbs.rglob("armada-8040-mcbin.dtb"))


def virt(folder: Path, machine: str) -> Path:
    made = folder / "virt.dtb"
    shape = f"virt,{machine},dumpdtb={made}"
    run(["qemu-system-aarch64", "-M", shape, "-cpu", "cortex-a57", "-display", "none"])
    return made


@pytest.mark.parametrize(
    ("machine", "code", "found"),
    [
        ("gic-version=3,iommu=smmuv3", 0, []),
        ("gic-version=3,iommu=smmuv3,virtualization=on", 0, []),
        ("gic-version=2,iommu=smmuv3", 1, ["interrupts not isolated"]),
        ("gic-version=3", 1, ["no IOMMU"]),
        ("gic-version=2", 1, ["no IOMMU", "interrupts not isolated"]),
    ],
)
def test_qemus_trees(machine: str, code: int, found: list[str], tmp_path: Path, predict) -> None:
    ended, said = predict(virt(tmp_path, machine), "--pci", "00:03.0")
    (device,) = said["devices"]
    assert (ended, faults(device)) == (code, found)
    assert [each["number"] for each in device["streams"]] == ([0x18] if "smmu" in machine else [])


def test_macchiatobin_has_its_smmu_off_and_its_network_cards_beside_it(
    mcbin: Path, predict
) -> None:
    code, said = predict(mcbin)
    (iommu,) = said["iommus"]
    assert (iommu["path"], iommu["enabled"], iommu["banks"]) == (SMMU, False, 8)
    found = {each["name"]: faults(each) for each in said["devices"]}
    assert found.keys() >= {"f2000000.ethernet", "f4000000.ethernet", "f2500000.usb", "0000:*"}
    always = {"IOMMU disabled", "interrupts not isolated"}
    assert all(always <= set(each) for each in found.values())
    assert "context banks" in found["0000:*"], "one device too many on 6.1"
    assert [name for name in found if "no iommus" in found[name]] == [
        "f2000000.ethernet",
        "f4000000.ethernet",
    ]
    assert code == 1


def test_macchiatobin_folds_ten_slots_into_four_groups(mcbin: Path, predict) -> None:
    asked = [word for slot in range(10) for word in ("--pci", f"00:{slot:02x}.0")]
    _, said = predict(mcbin, *asked)
    functions = [each for each in said["devices"] if each["bus"] == "pci"]
    groups = {frozenset((each["name"], *each["shares"])) for each in functions}
    assert sorted(map(len, groups)) == [2, 2, 3, 3]


def test_macchiatobin_mended_runs_out_of_context_banks(
    mcbin: Path, tmp_path: Path, predict
) -> None:
    """With SMMU and network cards as they should be (the stream IDs are made up): ENOSPC."""
    tree = tmp_path / "mended.dtb"
    tree.write_bytes(mcbin.read_bytes())
    run(["fdtput", "-t", "s", tree, SMMU, "status", "okay"])
    phandle = run(["fdtget", "-t", "x", tree, SMMU, "phandle"]).text.strip()
    for cp, stream in ((0, "600"), (1, "601")):
        node = f"/cp{cp}/config-space@f{2 + 2 * cp}000000/ethernet@0"
        run(["fdtput", "-t", "x", tree, node, "iommus", phandle, stream])
    _, said = predict(tree, "--device", "f2000000.ethernet")
    nic = next(each for each in said["devices"] if each["name"] == "f2000000.ethernet")
    assert (nic["group"], nic["answer"]) == (True, "on a condition")
    assert faults(nic) == ["context banks", "interrupts not isolated"]
    (budget,) = said["budgets"]
    assert budget["needs"] == {"6.1": 10, "6.12": 9}
