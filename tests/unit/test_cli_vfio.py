"""`ubtest vfio explain` on saved surveys: what people and programs get, and the exit code."""

import json
from pathlib import Path

import pytest

from ubtest.cli import main

SURVEYS = Path(__file__).parent / "handoff" / "surveys"
FULL = str(SURVEYS / "one-bank-for-the-container.look0.6.1.tar.gz")
GOOD = str(SURVEYS / "targets-set-up.look3.6.1.tar.gz")
EDU, E1000E = "0000:00:12.0", "0000:00:10.0"


def explained(capsys, *words: str) -> tuple[int, str]:
    code = main(["vfio", "explain", *words])
    return code, capsys.readouterr().out


def test_no_space_left_on_device_is_answered_by_one_command(capsys):
    code, said = explained(capsys, FULL)
    assert code == 1
    said = " ".join(said.split())
    assert "VFIO_SET_IOMMU: ENOSPC (No space left on device)" in said
    assert "the SMMU has 5 context banks, 5 are taken: by the groups 0 (0000:00:03.0), 1" in said
    assert "iommu.passthrough=1" in said
    assert "VFIO_SET_IOMMU: EPERM (not reached yet)" in said
    assert "allow_unsafe_interrupts=1" in said


def test_the_exit_code_is_about_what_was_asked(capsys):
    assert explained(capsys, GOOD, "--device", EDU)[0] == 0
    assert explained(capsys, GOOD, "--device", E1000E)[0] == 2
    assert explained(capsys, GOOD, "--device", EDU, "--device", "0000:00:13.1")[0] == 1


def test_nothing_is_claimed_for_what_was_not_moved(capsys):
    _, said = explained(capsys, GOOD, "--device", E1000E)
    assert "can be passed through" not in said
    assert "dma         not proven   no data was moved" in said


def test_for_programs(capsys):
    code, said = explained(capsys, FULL, "--json")
    got = json.loads(said)
    assert got["exit_code"] == code
    (device,) = got["devices"]
    assert [each["name"] for each in device["diagnoses"]] == [
        "banks-exhausted",
        "unsafe-interrupts",
    ]
    assert got["iommus"][0]["banks"] == 5
    assert device["device"]["name"] == E1000E


def test_a_survey_may_be_saved_again(tmp_path, capsys):
    path = tmp_path / "x.tar.gz"
    explained(capsys, GOOD, "--device", EDU, "--save", str(path))
    assert explained(capsys, str(path), "--device", EDU)[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say either a board or a file"),
        ([GOOD, "--lg-env", "x.yaml"], "say either a board or a file"),
        (["nothing.tar.gz"], "there is no survey"),
        ([GOOD, "--device", "f2000000.ethernet"], "the target has no device"),
        ([__file__], "is no survey"),
    ],
)
def test_mistakes_have_one_message_and_a_next_step(capsys, words, says):
    assert main(["vfio", "explain", *words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "->" in said
    assert "Traceback" not in said
