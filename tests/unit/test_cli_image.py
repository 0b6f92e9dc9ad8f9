"""`ubtest image`: what a user sees."""

from pathlib import Path

import pytest

from ubtest.cli import main


def test_build_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "esp.img"
    assert main(["image", "build", "esp", "-o", str(out)]) == 0
    assert "sha256" in capsys.readouterr().out
    assert main(["image", "show", str(out)]) == 0
    assert "EFI application for aa64" in capsys.readouterr().out


def test_a_damaged_one_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "esp.img"
    assert main(["image", "build", "esp", "-o", str(out), "--damage", "header-crc"]) == 0
    assert main(["image", "show", str(out)]) == 1
    assert "! GPT, primary table" in capsys.readouterr().out


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "list"]) == 0
    assert "A CD that boots by El Torito" in capsys.readouterr().out
    assert main(["image", "damages"]) == 0
    assert "truncated-pe" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["build", "nope"],
        ["build", "nope.yaml"],
        ["build", "esp", "--damage", "rust", "-o", "x.img"],
        ["build", "esp", "-o", "no/such/folder/x.img"],
        ["show", "nope.img"],
        ["show", "/dev/null"],
    ],
)
def test_mistakes_are_messages(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["image", *words]) == 2
    assert "Traceback" not in capsys.readouterr().err
