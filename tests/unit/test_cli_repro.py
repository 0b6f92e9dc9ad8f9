"""`ubtest repro` without a board: what is shown of a mail, and what is refused."""

import io
import json
from pathlib import Path

import pytest

from ubtest.cli import main
from ubtest.cli.repro_text import clean, show_comparison, write
from ubtest.recipe.expectations import Crash
from ubtest.recipe.outcome import Held, Outcome, StepOutcome, Verdict
from ubtest.recipe.steps import UBoot
from ubtest.repro.comparison import Spoken
from ubtest.repro.verdict import Trial

MAILS = Path(__file__).parent / "repro" / "mails"
STICKS = str(MAILS / "two-sticks.eml")
RED = "\x1b[31mevil\x1b]0;title\x07\x9b"


def repro(capsys, *words):
    code = main(["repro", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_mail_is_shown_with_its_lines_and_becomes_a_recipe(capsys, tmp_path):
    out = tmp_path / "x.recipe.yaml"
    code, said, _ = repro(capsys, STICKS, "--dry-run", "--recipe", str(out))
    assert code == 0
    assert "1:15 | => usb start" in said
    assert "(never run) qemu-system" in said
    assert "linux-user" not in said  # what is the host's stands there once
    assert "uboot: usb start" in out.read_text()


def test_nothing_to_run_cannot_be_told(capsys):
    code, said, _ = repro(capsys, str(MAILS / "no-reproducer.eml"))
    assert code == 2
    assert "no recipe" in said
    assert "not understood:" in said


def test_for_programs(capsys):
    code, said, _ = repro(capsys, STICKS, "--dry-run", "--json")
    assert code == 0
    made = json.loads(said)
    assert made["board"] == "qemu-arm64"
    assert "usb start" in made["recipe"]


def test_the_vfio_report_becomes_the_replica(capsys):
    code, said, _ = repro(capsys, str(MAILS / "vfio-container.eml"), "--dry-run")
    assert code == 0
    assert "marvell,ap806-smmu-500" in said
    assert "no context bank left" in said


def mail(tmp_path, *commands):
    path = tmp_path / "mail.txt"
    lines = [f"=> {command}\nit failed\n" for command in commands]
    path.write_text("Subject: x\n\nOn 2025.01:\n\n" + "".join(lines))
    return str(path)


def test_a_real_board_wants_a_word(capsys, tmp_path):
    board = tmp_path / "real.yaml"
    board.write_text("targets: {main: {drivers: {SerialDriver: {}, UBootConsoleDriver: {}}}}\n")
    code, said, wrong = repro(capsys, mail(tmp_path, "sf erase 0 1000"), "--board", str(board))
    assert code == 2
    assert "sf erase 0 1000   (writes SPI flash)" in said
    assert "add --yes" in wrong


@pytest.mark.parametrize("more", [[], ["--yes"]])
def test_sandbox_never(capsys, tmp_path, more):
    path = mail(tmp_path, "saveenv")
    code, _, wrong = repro(capsys, path, "--board", "sandbox", *more)
    assert code == 2
    assert "with your rights on this machine" in wrong


def test_a_recipe_for_another_board_is_not_run(capsys, tmp_path):
    out = tmp_path / "x.recipe.yaml"
    repro(capsys, STICKS, "--dry-run", "--recipe", str(out))
    code, _, wrong = repro(capsys, str(out), "--board", "qemu-arm", "--dry-run")
    assert code == 2
    assert "it is for qemu-arm64" in wrong


def test_an_unknown_board_is_the_users(capsys):
    code, _, wrong = repro(capsys, STICKS, "--board", "nothing")
    assert code == 2
    assert "there are: " in wrong
    assert "Traceback" not in wrong


def test_an_unknown_version_is_the_users(capsys):
    code, _, wrong = repro(capsys, STICKS, "--firmware", "nothing")
    assert code == 2
    assert "neither a version nor a firmware" in wrong


def test_no_control_character_reaches_the_terminal(capsys, tmp_path):
    path = tmp_path / "mail.txt"
    path.write_text(f"Subject: {RED}\n\nOn 2025.01:\n\n=> usb start\nx {RED}\nit failed\n")
    _, said, wrong = repro(capsys, str(path), "--dry-run")
    assert all(char == "\n" or char.isprintable() for char in said + wrong)
    assert "it failed" in said


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_a_comparison_on_a_terminal_and_elsewhere(kind):
    step = StepOutcome(UBoot("usb start"), f"same\n{RED} run failed", 0)
    made = Outcome((step,), (Held(Crash(False), True, ""),))
    trial = Trial("2025.01", "U-Boot 2025.01", Verdict.NOT_REPRODUCED, "", outcome=made)
    out = kind()
    show_comparison([Spoken("usb start", ("same", f"{RED} report"))], trial, out)
    said = out.getvalue()
    assert "evil\\x1b]0;title" in said
    assert "\x07" not in said
    assert "\x9b" not in said
    assert "\x1b]" not in said


def test_a_terminal_without_unicode():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    write(["ünïcode \x1b"], out)
    assert clean("a\nb") == "a b"
