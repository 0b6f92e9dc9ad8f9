"""The documents say what is true: links, commands, options and tables."""

import argparse
import ast
import contextlib
import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from test_floors import FLOORS

from ubtest.cli import _parser
from ubtest.run import run

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "keys/*.md")
    for path in ROOT.glob(pattern)
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OF_OTHERS = {"--pdeathsig"}  # options of programs that the documents only mention

documents = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(text: str) -> list[str]:
    """The indented code blocks, without their indentation."""
    found = re.findall(r"(?:^|\n\n)((?:    [^\n]*\n|\n(?=    ))+)", text)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]


def code(text: str) -> list[str]:
    """Every line of a code block and every code span."""
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", text)
    lines = [line for block in blocks(text) for line in block.splitlines()]
    return lines + [" ".join(span.split()) for span in spans]


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The words of each command of that program, and of the parts of `a && b`."""
    for line in code(text):
        for part in re.split(r" && |; |\$\(|\|", line):
            words = part.strip().split()
            if len(words) > 1 and words[0].rpartition("/")[2] == program:
                with contextlib.suppress(ValueError):  # an apostrophe of prose
                    words = shlex.split(part.strip(), comments=True)
                yield words[1:]


@cache
def options_of_pytest() -> frozenset[str]:
    return frozenset(OPTION.findall(run([sys.executable, "-m", "pytest", "--help"]).text))


def options_of_ubtest(parser: argparse.ArgumentParser) -> set[str]:
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= options_of_ubtest(below)
    return found


@documents
def test_links_lead_to_files(path: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    local = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [name for name in local if name and not (path.parent / name).exists()] == []


@documents
def test_anchors_lead_to_headings(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s:]+#[^)\s]+)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        there = (path.parent / name if name else path).read_text()
        titles = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        known = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert anchor in known, target


@documents
def test_make_targets_exist(path: Path) -> None:
    rules = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for words in commands(path.read_text(), "make")
        for word in words
        if re.fullmatch(r"[\w-]+", word)
    }
    assert named - rules == set()


@documents
def test_commands_of_ubtest_parse(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(path.read_text(), "ubtest"):
        try:
            _parser().parse_args(words)
        except SystemExit as ended:
            said = capsys.readouterr().err
            assert ended.code == 0, f"ubtest {' '.join(words)}: {said}"


@documents
def test_options_exist(path: Path) -> None:
    known = options_of_pytest() | options_of_ubtest(_parser()) | OF_OTHERS
    named = {
        option
        for line in code(path.read_text())
        if re.match(r"(\S*/)?(pytest|ubtest)\b|--", line)
        for option in OPTION.findall(line)
    }
    assert named - known == set()


@documents
def test_files_of_pytest_commands_exist(path: Path) -> None:
    for words in commands(path.read_text(), "pytest"):
        for name in words:
            if re.match(r"(tests|boards)/", name) and path.parent == ROOT:
                assert (ROOT / name.partition("::")[0]).exists(), name


@documents
def test_python_in_code_blocks_is_python(path: Path) -> None:
    for block in blocks(path.read_text()):
        if re.match(r"import |from |def |@", block):
            ast.parse(block)


def test_the_table_of_floors_is_the_enforced_one() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert {int(floor): set(re.findall(r"`(\w+)`", rooms)) for floor, rooms in rows} == dict(
        enumerate(FLOORS)
    )


def test_every_marker_and_fixture_is_described() -> None:
    from ubtest import plugin
    from ubtest.plugin.hooks import MARKERS

    text = (ROOT / "docs" / "writing-tests.md").read_text()
    markers = [re.split(r"[(:]", marker)[0] for marker in MARKERS]
    fixtures = [name for name in plugin.__all__ if not name.startswith("pytest_")]
    assert [name for name in [*markers, *fixtures] if not re.search(rf"`{name}\b", text)] == []


def test_every_key_of_the_qemu_board_is_described() -> None:
    import attr

    from ubtest.lab import QEMUMachineDriver, UBootConsoleDriver

    text = (ROOT / "docs" / "boards" / "qemu-arm64.md").read_text()
    keys = [
        field.name
        for driver in (QEMUMachineDriver, UBootConsoleDriver)
        for field in attr.fields(driver)
        if field.init and field.name not in ("target", "name")
    ]
    assert [key for key in keys if f"`{key}`" not in text] == []
