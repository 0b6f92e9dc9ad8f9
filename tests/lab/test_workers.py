"""`pytest -n 2 --lg-env boards/qemu-arm64.yaml`: two boards at once are one run."""

import os
import signal
from types import SimpleNamespace

import pytest
from conftest import QEMU, verdicts

from ubtest.errors import CaseError
from ubtest.plugin.workers import check_board_can_be_many


@pytest.fixture
def own(tmp_path):
    """Writes a test file outside of this repository; {pipe} is where its tests say something."""
    path, pipe = tmp_path / "test_mine.py", tmp_path / "pipe"
    os.mkfifo(pipe)

    def write(text: str) -> str:
        path.write_text(text.replace("{pipe}", str(pipe)))
        return str(path)

    write.pipe = pipe
    return write


def test_verdicts_and_summary_are_one(run_pytest, own):
    tests = own("""
import pytest

@pytest.mark.parametrize("number", range(4))
def test_right(uboot, number):
    assert uboot.check(f"echo {number}") == str(number)

def test_wrong(uboot):
    assert uboot.check("echo hello") == "goodbye"

def test_the_test_is_wrong(uboot):
    uboot.no_such_verb()

@pytest.mark.needs("NO_SUCH_CONFIG")
def test_lacking(uboot):
    pass

@pytest.mark.slow
def test_slow(uboot):
    pass
""")
    run = run_pytest("--lg-env", str(QEMU), "-n", "2", tests).finish()
    kinds = sorted(verdicts(run).values())
    assert kinds == ["error", "failure", *["passed"] * 4, "skipped"], run.output
    assert "1 x the firmware lacks CONFIG_NO_SUCH_CONFIG" in run.output
    assert "1 x slow: add --slow" in run.output
    assert len(list(run.results.glob("*-*/test_mine*/console.log"))) == 6, "all in one folder"
    assert len(list(run.results.glob("*-*"))) == 1
    assert run.left_behind == []


WAITS = """
import os, signal

def test_waits(uboot):
    uboot.session.send_reset("while true; do true; done")
    with open("{pipe}", "w") as pipe:
        pipe.write("now")
    {then}

def test_next(uboot):
    uboot.check("true")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(run_pytest, own, how):
    tests = own(WAITS.replace("{then}", 'uboot.session.wait(b"never", timeout=100)'))
    run = run_pytest("--lg-env", str(QEMU), "-n", "2", tests)
    assert own.pipe.read_text() == "now"
    run.process.send_signal(how)
    run.finish(30)
    assert run.code == pytest.ExitCode.INTERRUPTED, run.output
    assert run.left_behind == []


def test_a_worker_that_dies_is_an_error(run_pytest, own):
    tests = own(WAITS.replace("{then}", "os.kill(os.getpid(), signal.SIGKILL)"))
    run = run_pytest("--lg-env", str(QEMU), "-n", "2", tests)
    assert own.pipe.read_text() == "now"
    run.finish(60)
    found = {name.rpartition("::")[2]: kind for name, kind in verdicts(run).items()}
    assert found["test_next"] == "passed", run.output
    assert "1 passed, 1 error" in run.output
    assert "crashed while running" in run.output


def test_a_board_on_a_desk_is_one():
    config = SimpleNamespace(getoption=lambda name, default: 2)
    run = SimpleNamespace(board=SimpleNamespace(machine=object()), env_file="boards/mine.yaml")
    with pytest.raises(CaseError, match=r"-n 2: boards/mine.yaml is one board"):
        check_board_can_be_many(config, run)
