"""Fuzzing for real: what it finds, what it leaves, and that it ends when it is told to."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import QEMU, ROOT, commands_with

from ubtest.cli import main
from ubtest.deadline import Deadline
from ubtest.fuzz.bench import Bench
from ubtest.fuzz.finding import Kind
from ubtest.fuzz.trial import Answer, Trials

PROGRAM = "import sys; from ubtest.cli import main; sys.exit(main())"
SANDBOX = ROOT / "boards" / "sandbox.yaml"
BOARDS = [
    pytest.param(QEMU, id="qemu"),
    pytest.param(SANDBOX, id="sandbox", marks=pytest.mark.slow),  # wants another build of U-Boot
]


def campaign(bench: Bench, folder: Path, count: int, **options):
    made = bench.campaign(folder, lambda finding: None, lambda pace: None)
    made.run(Deadline(300), count)
    return made


@pytest.fixture(params=BOARDS)
def bench(request) -> Iterator[Bench]:
    with Bench.open(str(request.param), None, 1, "even") as bench:
        yield bench


def test_the_known_bugs_of_2025_01_are_found_each_as_one_class(bench, tmp_path):
    made = campaign(bench, tmp_path, 48)
    assert made.done == 48
    known = {finding.known: finding for finding in made.findings}
    assert set(known) >= {"pkcs7-error-aborts", "no-payload-is-success"}
    assert len(made.findings) == len(known), made.findings
    assert known["pkcs7-error-aborts"].said
    for finding in made.findings:
        (recipe,) = tmp_path.glob(f"*-{finding.case.number}/recipe.yaml")
        assert yaml.safe_load(recipe.read_text())["made of"]["seed"] == 1


def test_a_finding_becomes_small_and_is_seen_again(bench, tmp_path):
    made = campaign(bench, tmp_path, 48)
    made.minimise(Deadline(60))
    (crash,) = [each for each in made.findings if each.known == "pkcs7-error-aborts"]
    assert crash.alone
    assert len(crash.needed) <= len(crash.case.mutations)
    outcome = bench.trials.alone(crash.smallest)
    assert outcome.answer is Answer.CRASHED
    assert outcome.said.strip()


def test_good_capsules_write_their_image_and_nothing_is_wrong(bench):
    corpus, oracle = bench.cases.corpus, bench.oracle
    goods = [corpus.good(name, 7) for name in corpus.names]
    files = [good.capsule.pack() for good in goods]
    for good, file, outcome in zip(goods, files, bench.trials.run(files), strict=True):
        assert outcome.answer is (Answer.SUCCESS if good.authentic else Answer.REFUSED), good.name
        assert outcome.changed == bool(good.authentic)
        assert oracle.sighting(file, lambda good=good: good.authentic, outcome) is None


def test_a_slow_case_is_a_hang_only_as_long_as_the_patience_is(bench):
    """A size that leads through all memory: the firmware hashes for longer than that."""
    good = bench.cases.corpus.good("signed", 1)
    payload = replace(good.capsule.payloads[0], image_size=0x3000000)
    file = replace(good.capsule, payloads=(payload,)).pack()
    impatient = Trials(bench.trials.board, hang=0.02)
    assert impatient.alone(file).answer is Answer.HUNG
    assert bench.trials.alone(file).answer in (Answer.REFUSED, Answer.CRASHED)


def project_with(folder: Path, board: Path, old: str, new: str) -> Path:
    """A project like ours, with the key ring changed; gives its board file."""
    shutil.copytree(ROOT / "keys", folder / "keys")
    shutil.copytree(ROOT / "boards", folder / "boards")
    ring = folder / "keys" / "keyring.yaml"
    text = ring.read_text()
    assert re.search(old, text)
    ring.write_text(re.sub(old, new, text))
    return folder / "boards" / board.name


@pytest.mark.parametrize("board", BOARDS)
def test_a_firmware_that_trusts_a_stranger_is_caught(board, tmp_path):
    """Planted: the firmware holds a certificate that no capsule may be signed with."""
    file = project_with(
        tmp_path / "project",
        board,
        r"(subject: ubtest untrusted\n  days: 3650\n  trusted: )false",
        r"\1true",
    )
    with Bench.open(str(file), None, 1, "even") as bench:
        good = bench.cases.corpus.good("untrusted", 3)
        file = good.capsule.pack()
        (outcome,) = bench.trials.run([file])
        assert outcome.answer is Answer.SUCCESS
        sighting = bench.oracle.sighting(file, lambda: good.authentic, outcome)
        assert sighting.kind is Kind.FORGED
        cases = [case for n in range(1500) if (case := bench.cases[n]).good == "untrusted"][:60]
        files = [bench.cases.file(case) for case in cases]
        sightings = [
            bench.oracle.sighting(file, lambda case=case: bench.cases.authentic(case), outcome)
            for case, file, outcome in zip(cases, files, bench.trials.run(files), strict=True)
        ]
    assert Kind.FORGED in {each.kind for each in sightings if each}


@pytest.mark.slow  # wants another build of U-Boot
def test_both_boards_answer_the_same_cases_alike():
    answers = []
    for board in (QEMU, SANDBOX):
        with Bench.open(str(board), None, 5, "even") as bench:
            cases = [bench.cases[number] for number in range(96)]
            files = [bench.cases.file(case) for case in cases]
            answers.append((cases, [(o.answer, o.changed) for o in bench.trials.run(files)]))
    assert answers[0] == answers[1]


# the command


def test_exit_codes_and_replay(tmp_path, capsys, monkeypatch):
    def fuzz(*words: str) -> int:
        return main(["fuzz", "capsule", "--results", str(tmp_path), *words])

    monkeypatch.chdir(ROOT)
    assert fuzz("--board", "qemu-arm64", "--cases", "2") == 0
    assert "2 cases" in capsys.readouterr().out
    assert fuzz("--board", "qemu-arm64", "--cases", "48") == 1
    said = capsys.readouterr()
    assert "looks like the known bug pkcs7-error-aborts" in said.out
    recipes = tmp_path.glob("*/crash-*/recipe.yaml")
    (recipe,) = [path for path in recipes if "pkcs7-error-aborts" in path.read_text()]
    assert "a second" in said.err
    assert fuzz("--replay", str(recipe)) == 1
    assert "seen:   crashed" in capsys.readouterr().out
    recipe.with_name("smallest.cap").write_bytes(b"no capsule, which is refused".ljust(99))
    assert fuzz("--replay", str(recipe)) == 0
    assert "seen:   nothing wrong" in capsys.readouterr().out
    assert fuzz("--board", "no-such-board") == 2
    assert "there is no board file" in capsys.readouterr().err
    assert fuzz() == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_end_it_leaves_findings_and_nothing_else(tmp_path, number, code):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = ["--board", "qemu-arm64", "--time", "10m", "--results", str(tmp_path / "results")]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "fuzz", "capsule", *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        while "crashed" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(number)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert list(temporary.iterdir()) == []
    assert commands_with(str(temporary)) == []
    recipes = list((tmp_path / "results").glob("*/crash-*/recipe.yaml"))
    assert recipes
    assert all(yaml.safe_load(path.read_text())["made of"]["mutations"] for path in recipes)
