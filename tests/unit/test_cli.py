import os
import signal
import sys
from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.errors import CaseError
from ubtest.run import run, spawn

ROOT = Path(__file__).parents[2]
COMMANDS = ["doctor", "keys", "keys make", "keys list"]
COMMANDS += ["firmware", "firmware build", "firmware list", "firmware show"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache; and the handlers of signals as they were."""
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_teaches_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"example:\n  ubtest {command}" in said


def test_the_help_says_what_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "exit codes:" in capsys.readouterr().out


def test_the_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ubtest.cli import _parser; _parser().format_help()\n"
        "print([m for m in ('rich', 'cryptography', 'labgrid', 'yaml') if m in sys.modules])"
    )
    assert run([sys.executable, "-c", code]).text == "[]\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("firmware build none", "no firmware fragment"),
        ("firmware build qemu-arm64 --source /none", "no source at `/none`"),
        ("firmware show qemu-arm64", "no firmware for qemu-arm64 in the cache"),
        ("firmware show /proc/self", "no firmware: /proc/self/u-boot.bin is missing"),
    ],
)
def test_a_mistake_is_two_lines_and_no_traceback(
    words: str, message: str, capsys: pytest.CaptureFixture[str], tree: Path
) -> None:
    source = ["--source", str(tree)] if words == "firmware build none" else []
    assert main([*words.split(), *source]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "\n  -> " in said
    assert "Traceback" not in said


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "u-boot" / "include" / "u-boot").mkdir(parents=True)
    (tmp_path / "u-boot" / "Makefile").write_text("VERSION = 2025\nPATCHLEVEL = 01\n")
    return tmp_path / "u-boot"


def test_debug_shows_where_it_arose() -> None:
    with pytest.raises(CaseError):
        main(["--debug", "firmware", "show", "/proc/self"])


def test_a_wrong_number_of_jobs_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["firmware", "build", "qemu-arm64", "--jobs", "0"])
    assert ended.value.code == 2
    assert "at least 1" in capsys.readouterr().err


def test_an_empty_list_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firmware", "list"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_order(number: int, code: int, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    # A command that waits for ever where a build would compile
    ours = (
        "import argparse, sys; from ubtest import cli\n"
        "def wait(options): print('waiting', flush=True); open(sys.argv[1]); return 0\n"
        "cli.doctor._run = wait; sys.exit(cli.main(['doctor']))"
    )
    with spawn([sys.executable, "-c", ours, gate], stdout=-1, stderr=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(number)
        assert process.communicate(timeout=20)[1] == b"stopped\n"
        assert process.returncode == code


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ours = "import sys; from ubtest.cli import main; sys.exit(main(['doctor']))"
    with spawn([sys.executable, "-c", ours], stdout=writing, stderr=-1) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(10) == 128 + signal.SIGPIPE
