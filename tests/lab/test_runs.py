"""Whole pytest runs on the QEMU board, from outside: verdicts, what is kept, how they end."""

import re
import shutil
import signal
from pathlib import Path

import pytest
from conftest import QEMU, ROOT, verdicts

from ubtest.firmware.bundle import find

CAPSULES = "tests/board/capsule"
ONE = f"{CAPSULES}/test_refused.py::test_by_command[unsigned]"


@pytest.fixture
def board_test(tmp_path):
    """Writes a test file outside of this repository."""

    def write(text: str) -> str:
        path = tmp_path / "elsewhere" / "test_mine.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def test_one_test_alone_keeps_its_transcript(run_pytest):
    run = run_pytest("--lg-env", str(QEMU), ONE).finish()
    assert run.code == 0, run.output
    (folder,) = run.results.glob("*-*/test_refused*")
    console = (folder / "console.log").read_text()
    assert "> efidebug capsule disk-update" in console
    assert "< U-Boot 20" in console
    assert "qemu-system-aarch64" in (folder / "qemu.txt").read_text()
    assert (folder / "broken.cap").stat().st_size > 1000
    assert (run.results / "latest").resolve() == folder.parent
    junit = (folder.parent / "junit.xml").read_text()
    assert re.search(r'name="broken.cap" value="[^"]*sha256=[0-9a-f]{64}"', junit)
    assert 'name="console"' in junit
    assert run.left_behind == []


def test_the_fixtures_work_in_a_users_own_test(run_pytest, board_test):
    own = board_test(
        """
        import pytest

        def test_prompt(uboot):
            assert uboot.check("echo hello") == "hello"

        @pytest.mark.mutates("flash")
        def test_flash(board, flash):
            board.boot().check("erase 3000000 +40000", timeout=30)
            assert flash.region == b"\\xff" * len(flash.region)

        def test_undeclared_change_is_an_error(board, flash):
            board.boot().check("erase 3000000 +40000", timeout=30)
    """.replace("\n        ", "\n")
    )
    run = run_pytest("--lg-env", str(QEMU), own).finish()
    assert list(verdicts(run).values()) == ["passed", "passed", "error"], run.output
    assert 'mark it with @pytest.mark.mutates("flash")' in run.output


def test_a_plain_labgrid_test_without_our_plugin(run_pytest, board_test):
    own = board_test(
        """
        def test_prompt(target, strategy):
            strategy.transition("uboot")
            uboot = target.get_active_driver("CommandProtocol")
            assert uboot.run_check("echo hello") == ["hello"]
    """.replace("\n        ", "\n")
    )
    run = run_pytest("-p", "no:ubtest", "--lg-env", str(QEMU), "-c", "/dev/null", own, ours=False)
    assert run.finish().code == 0, run.output
    assert run.left_behind == []


def test_whose_fault_decides_the_verdict(run_pytest, board_test):
    own = board_test(
        """
        import os, signal
        import pytest

        def test_firmware_answers_wrong(uboot):
            assert uboot.check("echo hello") == "goodbye"

        def test_firmware_refuses(uboot):
            uboot.check("no-such-command")

        def test_firmware_crashes(uboot):
            uboot.command("md.b dead00000000 1")

        def test_qemu_is_killed(board, uboot):
            os.kill(board.machine._process.pid, signal.SIGKILL)
            uboot.command("version")

        def test_the_test_is_wrong(uboot):
            uboot.no_such_verb()

        @pytest.mark.needs("NO_SUCH_CONFIG")
        def test_the_firmware_lacks_it(uboot):
            pass

        @pytest.mark.needs("no-such-resource")
        def test_the_board_lacks_it(uboot):
            pass

        def test_all_is_well_after_that(uboot):
            uboot.check("true")
    """.replace("\n        ", "\n")
    )
    expected = {
        "test_firmware_answers_wrong": "failure",
        "test_firmware_refuses": "failure",
        "test_firmware_crashes": "failure",
        "test_qemu_is_killed": "error",
        "test_the_test_is_wrong": "error",
        "test_the_firmware_lacks_it": "skipped",
        "test_the_board_lacks_it": "skipped",
        "test_all_is_well_after_that": "passed",
    }
    run = run_pytest("--lg-env", str(QEMU), own).finish()
    assert {name.split("::")[1]: kind for name, kind in verdicts(run).items()} == expected
    assert "3 failed, 1 passed, 2 skipped, 2 errors" in run.output
    assert "the firmware lacks CONFIG_NO_SUCH_CONFIG" in run.output
    assert "the board lacks no-such-resource" in run.output
    assert "x0 :" in run.output  # the register dump
    assert re.search(r"NO_SUCH_CONFIG +NO", run.output)

    strict = run_pytest("--lg-env", str(QEMU), "--strict-capabilities", "-k", "lacks", own).finish()
    assert set(verdicts(strict).values()) == {"error"}


def test_a_promise_that_the_firmware_does_not_keep_is_an_error(run_pytest, board_test, tmp_path):
    own = board_test(
        """
        import pytest

        @pytest.mark.needs("PROMISED_ONLY")
        def test_promised(uboot):
            pass
    """.replace("\n        ", "\n")
    )
    env = tmp_path / "promising.yaml"
    env.write_text(QEMU.read_text().replace("features:\n", "features:\n      - PROMISED_ONLY\n"))
    run = run_pytest("--lg-env", str(env), own).finish()
    assert set(verdicts(run).values()) == {"error"}
    assert "promises what the firmware lacks: CONFIG_PROMISED_ONLY" in run.output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(run_pytest, board_test, how):
    own = board_test(
        """
        def test_waits(uboot):
            uboot.session.send_reset("while true; do true; done")
            print("now", flush=True)
            uboot.session.wait(b"never", timeout=100)
    """.replace("\n        ", "\n")
    )
    run = run_pytest("--lg-env", str(QEMU), "-s", own)
    run.wait_for("now$")
    run.process.send_signal(how)
    run.finish(20)
    assert run.code == pytest.ExitCode.INTERRUPTED, run.output
    assert run.left_behind == []
    (console,) = run.results.glob("*-*/test_mine*/console.log")
    assert "while true" in console.read_text()


def test_two_runs_at_once_in_one_checkout(run_pytest):
    runs = [run_pytest("--lg-env", str(QEMU), ONE) for _ in range(2)]
    for run in runs:
        assert run.finish().code == 0, run.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--lg-env", "boards/no-such.yaml"], 4, "no board file boards/no-such.yaml"),
        (["--lg-env", str(QEMU), "--firmware", "/nowhere"], 4, "no firmware: /nowhere"),
        (["--lg-env", str(QEMU), "--firmware", "/bin/true"], 4, "no .config beside it"),
        ([f"{CAPSULES}/test_accepted.py", "-k", "smallest"], 1, "this test needs a board"),
    ],
)
def test_bad_input_is_one_clear_message(run_pytest, arguments, code, said):
    run = run_pytest(*arguments).finish()
    assert said in run.output
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output
    assert run.code == code, run.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("QEMUMachineDriver:", "QEMUMachineDrive:", "unknown driver class QEMUMachineDrive"),
        ("    drivers:", "    drivers: [", "line"),
        ("        image-type:", "        image-typ:", "`firmware-image` is missing or wrong"),
    ],
)
def test_a_mistake_in_the_board_file(run_pytest, tmp_path, old, new, said):
    file = tmp_path / "board.yaml"
    file.write_text(QEMU.read_text().replace(old, new))
    run = run_pytest("--lg-env", str(file), ONE).finish()
    assert said in run.output
    assert str(file) in run.output
    assert "INTERNALERROR" not in run.output
    assert run.code in (1, 4), run.output


def test_a_firmware_for_another_processor(run_pytest, tmp_path):
    good = find("qemu-arm64")
    config = (good.path / ".config").read_text().replace("CONFIG_ARM64=y\n", "")
    (tmp_path / ".config").write_text(config)
    (tmp_path / "u-boot.bin").write_bytes(good.binary.read_bytes())
    run = run_pytest("--lg-env", str(QEMU), "--firmware", str(tmp_path / "u-boot.bin")).finish()
    assert "is built for arm, the board is arm64" in run.output
    assert run.code == 4, run.output


def test_a_configuration_that_changed_since_the_build(run_pytest, tmp_path):
    """A project of its own, whose fragment has a line that the firmware was built without."""
    for name in ("boards", "keys"):
        shutil.copytree(ROOT / name, tmp_path / name)
    fragment = tmp_path / "boards" / "qemu-arm64.config"
    fragment.write_text(fragment.read_text() + "CONFIG_CMD_CONFIG=y\n")
    run = run_pytest("--lg-env", str(tmp_path / "boards" / "qemu-arm64.yaml"), ONE).finish()
    assert "boards/qemu-arm64.config changed since the firmware" in run.output
    assert "ubtest firmware build qemu-arm64" in run.output
    assert run.code == 4, run.output


def test_a_machine_without_qemu(run_pytest, tmp_path):
    for tool in ("setpriv", "fdtput"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    run = run_pytest("--lg-env", str(QEMU), PATH=str(tmp_path)).finish()
    assert "the program `qemu-system-aarch64` is missing" in run.output
    assert "apt-get install qemu-system-arm" in run.output
    assert run.code == 2, run.output


def test_markers_are_documented(run_pytest):
    output = run_pytest("--markers").finish().output
    for marker in ("needs", "mutates", "slow", "known_bug"):
        assert f"@pytest.mark.{marker}" in output


def test_without_a_board_the_unit_tests_run(run_pytest):
    output = run_pytest("--collect-only", "-q").finish().output
    assert "tests/unit/" in output
    assert "tests/board/" not in output


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_does_not_matter(run_pytest, seed):
    import random

    listed = run_pytest("--lg-env", str(QEMU), "--collect-only", "-q").finish().output
    tests = re.findall(r"^(tests/board/.*::.*)$", listed, re.MULTILINE)
    random.Random(seed).shuffle(tests)
    run = run_pytest("--lg-env", str(QEMU), *tests).finish(600)
    found = verdicts(run)
    assert len(found) == len(tests) > 20
    assert set(found.values()) <= {"passed", "skipped"}, run.output  # or expected to fail


def test_results_folder_that_cannot_be_written(run_pytest):
    run = run_pytest("--lg-env", str(QEMU), "--results", "/proc/nowhere", ONE).finish()
    assert "cannot write results below /proc/nowhere" in run.output
    assert run.code == 4


def test_paths_in_messages_lead_to_the_users_line(run_pytest, board_test):
    own = board_test("def test_mine(uboot):\n    uboot.check('false')\n")
    run = run_pytest("--lg-env", str(QEMU), own).finish()
    assert f"{Path(own)}:2: uboot.check('false')" in run.output
    assert "FAILED" in run.output
