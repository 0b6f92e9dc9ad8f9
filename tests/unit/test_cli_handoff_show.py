"""`ubtest handoff show` on recorded files."""

import json
from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.handoff.survey import Survey

HOME = Path(__file__).parent / "handoff" / "handed"
RICH = HOME / "rich-2025.01.tar.gz"


def test_for_a_person(capsys):
    assert main(["handoff", "show", str(RICH)]) == 0
    said = capsys.readouterr().out
    for part in (
        "device tree       as it must be",
        "no-map by the device tree: /reserved-memory/hole@46000000",
        "/nic@7  52:54:00:aa:bb:cc  from U-Boot's environment",
        "linux: /HD(1,GPT,",
        "buses [0, 1, 1]",
        "runtime services: GetVariable",
        "NOT ALLOWED",
    ):
        assert (part in said) == (part != "NOT ALLOWED"), part


def test_for_programs(capsys):
    assert main(["handoff", "show", str(RICH), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not any(found["findings"].values())
    assert found["tables"].keys() >= {"ESRT", "RTPROP", "SMBIOS 3.0"}
    assert found["mac_addresses"] == [
        {"node": "/nic@7", "address": "52:54:00:aa:bb:cc", "from_environment": True}
    ]


def test_what_is_wrong_is_said_and_is_the_exit_code(tmp_path, capsys):
    survey = Survey.load(RICH)
    bad = {**survey.files, "fdt": survey.files["fdt"].replace(b"dummy-virt", b"DUMMY-virt")}
    Survey(bad).save(tmp_path / "bad.tar.gz")
    assert main(["handoff", "show", str(tmp_path / "bad.tar.gz")]) == 1
    said = capsys.readouterr().out
    assert "device tree       2 wrong" in said
    assert "NOT ALLOWED" in said


@pytest.mark.parametrize("words", [[], ["a.tar.gz", "--lg-env", "b.yaml"], ["none.tar.gz"]])
def test_wrong_input_is_the_users(words, capsys):
    assert main(["handoff", "show", *words]) == 2
    assert "->" in capsys.readouterr().err
