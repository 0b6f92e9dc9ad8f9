"""`ubtest vfio message`: a pasted line is enough."""

import io
import sys

import pytest

from ubtest.cli import main

LINE = "vfio 0000:01:00.0: failed to setup container for group 4: Failed to set iommu for container"


def test_a_pasted_message_gives_the_step_and_the_causes(capsys):
    assert main(["vfio", "message", f"{LINE}: No space left on device"]) == 0
    step, *causes = capsys.readouterr().out.splitlines()
    assert step == "VFIO_SET_IOMMU: ENOSPC of 0000:01:00.0 (iommu)"
    assert "context bank" in causes[0]


def test_it_may_come_by_standard_input(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"(qemu) {LINE}: Operation not permitted\n"))
    assert main(["vfio", "message"]) == 0
    assert "allow_unsafe_interrupts" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "No space left on device"])
def test_other_text_is_the_callers_mistake(capsys, text):
    assert main(["vfio", "message", text]) == 2
    assert "paste the whole line" in capsys.readouterr().err
