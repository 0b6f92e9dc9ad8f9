"""A survey as a file, and from a shell."""

import pytest
from recorded_surveys import RECORDED

from ubtest.errors import CaseError, HostError
from ubtest.handoff.survey import SECTIONS, Survey, script
from ubtest.run import run

SURVEY = RECORDED[0].survey


class Shell:
    """A target whose shell gives these bytes."""

    def __init__(self, output: bytes):
        self.output, self.status = output, 0

    def run(self, line: str, timeout: float = 30):
        return self


def test_saved_and_loaded(tmp_path):
    SURVEY.save(tmp_path / "one.tar.gz")
    assert Survey.load(tmp_path / "one.tar.gz") == SURVEY
    assert (tmp_path / "one.tar.gz").read_bytes()[4:8] == bytes(4), "gzip's time"


def test_a_real_shell_gives_the_sections_that_it_has():
    """This host is a target, too: some sections are empty here, none runs into the next."""
    said = run(["sh", "-c", script()], check=False).stdout
    survey = Survey.gather(Shell(said))
    assert survey.text("release").startswith("Linux ")
    assert survey.lines("mounts")
    assert not any(line.startswith("==>") for name in survey.files for line in survey.lines(name))


def test_binary_sections_come_whole():
    fdt = bytes(range(256)) * 40
    said = b"".join(b"\n==> %s <==\n" % n.encode() + b"x\n" for n in list(SECTIONS)[:-1])
    survey = Survey.gather(Shell(said + b"\n==> fdt <==\n" + fdt))
    assert survey.files["fdt"] == fdt
    assert survey.text("dmesg") == "x\n"


def test_a_target_without_a_shell():
    with pytest.raises(CaseError, match="no survey") as caught:
        Survey.gather(Shell(b"=> \r\nUnknown command 'printf'"))
    assert "root shell" in caught.value.next_step


@pytest.mark.parametrize("content", [b"", b"not packed", b"\x1f\x8b\x08\0\0\0"])
def test_no_survey(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CaseError, match="is no survey"):
        Survey.load(tmp_path / "x")


def test_no_file(tmp_path):
    with pytest.raises(CaseError, match="there is no survey"):
        Survey.load(tmp_path / "x")
    with pytest.raises(HostError):
        Survey.load(tmp_path)
    with pytest.raises(HostError, match="cannot write"):
        SURVEY.save(tmp_path / "no" / "such")
