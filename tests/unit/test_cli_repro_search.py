"""Options of `ubtest repro --minimise` and `--bisect`, and what they leave behind."""

import json
import os

import pytest

from ubtest.cli import main
from ubtest.cli.repro_search import _asked_for_last
from ubtest.firmware.bundle import MANIFEST, bundles, find


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--bisect", "a..b"], "needs --bisect and --tree"),
        (["--tree", "."], "needs --bisect and --tree"),
        (["--first-fixed"], "belongs to --bisect"),
        (["--out", "x"], "belongs to --minimise"),
        (["--minimise", "--bisect", "a..b", "--tree", "."], "two searches"),
    ],
)
def test_half_a_search_is_refused(options, why, tmp_path, capsys):
    recipe = tmp_path / "x.recipe.yaml"
    recipe.write_text(
        "title: x\nsteps:\n  - uboot: version\nexpect:\n  - crash: false\n", encoding="utf-8"
    )
    assert main(["repro", str(recipe), *options]) == 2
    assert why in capsys.readouterr().err


def test_a_tree_that_is_no_repository(tmp_path, capsys):
    recipe = tmp_path / "x.recipe.yaml"
    recipe.write_text("title: x\nsteps:\n  - uboot: version\nexpect:\n  - crash: false\n")
    words = ["repro", str(recipe), "--bisect", "a..b", "--tree", str(tmp_path)]
    assert main(words) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_a_mail_is_no_recipe_yet(tmp_path, capsys):
    mail = tmp_path / "report.txt"
    mail.write_text("=> version\nU-Boot 2025.01\n")
    assert main(["repro", str(mail), "--minimise"]) == 2
    assert "a search takes a recipe" in capsys.readouterr().err


def test_plain_runs_go_on_with_the_firmware_they_had(tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path))

    def bundle(key: str, when: int) -> None:
        folder = bundles() / "qemu-arm64" / key
        folder.mkdir(parents=True)
        for name in ("u-boot.bin", ".config"):
            (folder / name).write_text("")
        (folder / MANIFEST).write_text(json.dumps({"version": "2025.01"}))
        os.utime(folder / MANIFEST, (when, when))

    bundle("2025.01-before", 1000)
    with pytest.raises(KeyboardInterrupt), _asked_for_last("qemu-arm64"):
        bundle("2025.01-bisected", 2000)
        assert find("qemu-arm64").path.name == "2025.01-bisected"
        raise KeyboardInterrupt
    assert find("qemu-arm64").path.name == "2025.01-before"


def test_the_first_firmware_is_nobodys(tmp_path, monkeypatch):
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path))
    with _asked_for_last("qemu-arm64"):
        pass
