"""Real lab parts: a board of our own in this process, and whole pytest runs in others."""

import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from labgrid import Environment

from ubtest.deadline import Deadline
from ubtest.lab.board import Board

# A run in the background of a shell ignores Ctrl-C, and what tests start to stop it would, too
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[2]
QEMU = ROOT / "boards" / "qemu-arm64.yaml"
SANDBOX = ROOT / "boards" / "sandbox.yaml"


@pytest.fixture
def lab(tmp_path) -> Iterator:
    """Makes boards from a board file with some lines replaced; cleans up after them."""
    made = []

    def board(*replacements: tuple[str, str], file: Path = QEMU) -> Board:
        text = file.read_text()
        for old, new in replacements:
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new)
        own = tmp_path / "board.yaml"
        own.write_text(text)
        made.append(Environment(str(own)))
        return Board(made[-1].get_target())

    yield board
    for env in made:
        env.cleanup()


@pytest.fixture
def board(lab) -> Board:
    """boards/qemu-arm64.yaml as it is."""
    return lab()


class Run:
    """One pytest run in a process of its own, with a temporary folder of its own."""

    def __init__(self, folder: Path, arguments: list[str], env: dict[str, str]) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.results = folder / "results"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.temporary), "COLUMNS": "200", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    @property
    def code(self) -> int:
        return self.process.returncode

    def finish(self, timeout: float = 120) -> "Run":
        self.output += self.process.communicate(timeout=timeout)[0]
        return self

    def wait_for(self, pattern: str, timeout: float = 60) -> None:
        """Read output until a line matches."""
        deadline = Deadline(timeout)
        for line in self.process.stdout:
            self.output += line
            if re.search(pattern, line):
                return
            assert not deadline.expired, self.output
        pytest.fail(f"ended without {pattern!r}:\n{self.output}")

    @property
    def left_behind(self) -> list[str]:
        """Processes with our temporary folder in their command line, and files in it."""
        found = [path.name for path in self.temporary.iterdir() if "ubtest" in path.name]
        return found + commands_with(str(self.temporary))


def verdicts(run: Run) -> dict[str, str]:
    """Test -> verdict, from the JUnit file."""
    (file,) = run.results.glob("*-*/junit.xml")
    found = {}
    for case in ET.parse(file).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}::{case.get('name')}"] = kinds[0] if kinds else "passed"
    return found


def commands_with(text: str) -> list[str]:
    """Command lines of running processes that hold a text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile
            if text in line and "qemu" in line:
                found.append(line)
    return found


@pytest.fixture
def run_pytest(tmp_path) -> Iterator:
    """Starts pytest runs; whatever of them still runs at the end is ended."""
    runs = []

    def start(*arguments: str, ours: bool = True, **env: str) -> Run:
        folder = tmp_path / f"run{len(runs)}"
        results = ["--results", str(folder / "results")] if ours else []
        runs.append(Run(folder, [*results, *arguments], env))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGTERM)
            run.process.wait(30)
