"""`ubtest repro` on QEMU: reports by mail tell the versions apart, and nothing is left running."""

import json
import tempfile
from pathlib import Path

import pytest
from conftest import commands_with

from ubtest.cli import main
from ubtest.firmware.bundle import find
from ubtest.kernel.bundle import find as find_kernel
from ubtest.recipe import load

MAILS = Path(__file__).parents[1] / "unit" / "repro" / "mails"
VERSIONS = ("2023.01", "2025.01")

pytestmark = pytest.mark.slow  # wants the older firmware, too


@pytest.fixture(autouse=True)
def firmware():
    """Both have to be there; else this says how to get them."""
    for version in VERSIONS:
        find("qemu-arm64", version=version)


def repro(capsys, *words):
    code = main(["repro", *map(str, words)])
    return code, capsys.readouterr()


def verdicts(said):
    return {each["version"]: each["verdict"] for each in json.loads(said.out)["trials"]}


def test_two_sticks_on_both_versions(capsys, tmp_path, monkeypatch):
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    out, answer = tmp_path / "sticks.recipe.yaml", tmp_path / "reply.txt"
    mail = MAILS / "two-sticks.eml"
    words = ("--firmware", *VERSIONS, "--recipe", out, "--reply", answer, "--json")
    code, said = repro(capsys, mail, *words)
    assert code == 1
    assert verdicts(said) == {"2023.01": "reproduced", "2025.01": "not reproduced"}
    body = answer.read_text()
    assert body.startswith("Reproduced on 2023.01; not reproduced on 2025.01.\n")
    assert [each.driver for each in load(out).devices] == ["usb-storage"] * 2
    # The recipe alone says the same
    code, said = repro(capsys, out, "--board", "qemu-arm64", "--firmware", "2025.01", "--json")
    assert (code, verdicts(said)) == (0, {"2025.01": "not reproduced"})
    assert commands_with(str(own)) == []
    assert list(own.iterdir()) == []


def test_a_recipe_without_the_second_stick_tells_nothing_wrong(capsys, tmp_path):
    """What the verdict of the first test stands on: with one stick 2023.01 is fine."""
    out = tmp_path / "one.recipe.yaml"
    repro(capsys, MAILS / "two-sticks.eml", "--dry-run", "--recipe", out)
    text = out.read_text()
    second = "  - driver: usb-storage\n    medium: disk2\n    port: '3'\n"
    assert second in text
    out.write_text(text.replace(second, ""))
    code, said = repro(capsys, out, "--firmware", "2023.01", "--json")
    assert (code, verdicts(said)) == (0, {"2023.01": "not reproduced"})


def test_what_the_board_lacks_is_no_verdict(capsys):
    code, said = repro(capsys, MAILS / "attachments.eml", "--firmware", "2025.01", "--json")
    assert (code, verdicts(said)) == (2, {"2025.01": "cannot tell"})
    assert "Unknown command 'sf'" in said.out


def test_context_banks_are_counted_and_the_ways_out_told(capsys):
    find_kernel("debian:6.1")
    code, said = repro(capsys, MAILS / "vfio-container.eml", "--firmware", "2025.01", "--json")
    assert (code, verdicts(said)) == (1, {"2025.01": "reproduced"})
    (trial,) = json.loads(said.out)["trials"]
    why = "\n".join(trial["reason"])
    assert "the SMMU has 5 context banks, 5 are taken" in why
    assert "[banks-exhausted]" in why
    assert "way out: kernel command line: iommu.passthrough=1" in why
    assert "[unsafe-interrupts]" in why
