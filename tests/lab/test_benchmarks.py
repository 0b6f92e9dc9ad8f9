"""The benchmarks start and print their ratio: with the fewest rounds, since figures are no test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

FOLDER = ROOT / "benchmarks"
RATIO = r"ratio   \d+\.\d\d of the time, \d+\.\d times as fast"
# Script and arguments -> what it prints, how often
SMALLEST = {
    "bench_capsule.py --rounds 1 --count 3 --sample 1": {
        RATIO: 1,
        r"all 6 compared: same fields; openssl verified 2\n": 1,
    },
    "bench_disk.py --rounds 1 --size 8 --file 16": {RATIO: 1},
    "bench_console.py --rounds 1 --count 1": {RATIO: 2},
    "bench_boot.py --rounds 1": {RATIO: 1, r"first byte to prompt +\d": 1},
    "bench_image.py --rounds 1 --count 3": {RATIO: 1, r"images in a row": 1},
    "bench_predict.py --rounds 1": {RATIO: 1},
    "bench_mail.py --rounds 1": {RATIO: 1},
    "bench_linux.py --rounds 1": {RATIO: 1, r"to the shell": 1},
    "bench_cases.py --rounds 1": {r"(?:boot|refused|accepted) .* a minute": 3},
}


def printed(command: str) -> str:
    """What a benchmark prints; a missed target is none of the test's business."""
    script, *arguments = command.split()
    run = subprocess.run(
        [sys.executable, FOLDER / script, *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0 or (run.returncode == 1 and "MISSED" in run.stdout), run
    return run.stdout


@pytest.mark.parametrize("script", sorted(FOLDER.glob("bench_*.py")), ids=lambda path: path.name)
def test_help_says_what_is_measured(script: Path) -> None:
    assert "options:" in printed(f"{script.name} --help")


@pytest.mark.parametrize("command", SMALLEST)
def test_it_starts_and_prints_its_figures(command: str) -> None:
    output = printed(command)
    for pattern, times in SMALLEST[command].items():
        assert len(re.findall(pattern, output)) == times, output


@pytest.mark.slow  # builds the sandbox where it must, and runs test/py four times
def test_test_py_runs_beside_ours() -> None:
    output = printed("bench_testpy.py --rounds 1")
    assert re.search(r"nothing put right: 19 skipped", output), output
    assert re.search(r"what it lacked .*10 passed", output), output
    assert len(re.findall(RATIO, output)) == 2, output
