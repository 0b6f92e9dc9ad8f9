"""`ubtest vfio explain` on a live board: boots it, judges, saves, and leaves nothing running."""

from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.handoff.survey import Survey
from ubtest.kernel.bundle import find

BOARD = Path(__file__).parents[2] / "boards" / "qemu-arm64.yaml"
EDU = "0000:00:12.0"


@pytest.fixture(autouse=True)
def kernel():
    """It has to be there; else this says how to get it."""
    return find()


def explain(*words: str) -> int:
    return main(["vfio", "explain", "--lg-env", str(BOARD), "--device", EDU, *words])


def test_a_good_board_and_the_same_from_its_file(tmp_path, capsys):
    path = tmp_path / "target.tar.gz"
    assert explain("--save", str(path)) == 0
    live = capsys.readouterr().out
    assert "dma         ok           512 of 512 bytes went out and came back" in live
    assert main(["vfio", "explain", str(path)]) == 0
    assert capsys.readouterr().out == live
    assert EDU in Survey.load(path).probes


def test_a_fault_put_into_the_tree(capsys):
    code = explain("--uboot", "fdt rm /pcie@10000000 iommu-map", "--shell", "modprobe e1000e")
    assert code == 1
    said = capsys.readouterr().out
    assert "[no-map]" in said
    assert "/pcie@10000000: iommu-map = <0x0 &smmu 0x0 0x10000>;" in said


def test_a_command_that_the_target_refuses(capsys):
    assert explain("--shell", "modprobe nothing-of-this-name") == 2
    said = capsys.readouterr().err
    assert "modprobe nothing-of-this-name" in said
    assert "Traceback" not in said
