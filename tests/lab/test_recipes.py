"""Recipes on a real board, and as pytest runs them."""

import re
from dataclasses import replace

import pytest
from conftest import QEMU, verdicts

from ubtest.errors import CaseError, HostError
from ubtest.recipe import Verdict, load, run
from ubtest.recipe.steps import UBoot

REPRODUCED, NOT, CANNOT = Verdict.REPRODUCED, Verdict.NOT_REPRODUCED, Verdict.CANNOT_TELL

UPDATE = r"""
title: An update from disk
media:
  disk:
    declaration:
      partitions:
        - files:
            EFI/UpdateCapsule/a.cap:
              capsule: {text: "new firmware! ", size: 8400, key: trusted}
devices:
  - {driver: storage, medium: disk}
steps:
  - find: {}
  - uboot: efidebug boot add -b 1 disk virtio 0:1 none.efi; efidebug boot order 1
  - uboot: setenv -e -nv -bs -rt OsIndications =H0400000000000000
  - {uboot: efidebug capsule disk-update, resets: true}
  - find: {}
  - uboot: efidebug capsule result
expect:
  - output: 'Capsule status: 0x0$'
  - flash: {image: changed, outside: unchanged, text: "new firmware! new firmware! "}
  - file: {medium: disk, path: EFI/UpdateCapsule/a.cap, exists: false}
  - variable: {name: CapsuleLast, guid: 39b68c46-f7fb-441b-b6ec-16b0f69821f3}
"""
NEW = 'image: changed, outside: unchanged, text: "new firmware! new firmware! "'
REFUSED = (
    UPDATE.replace("key: trusted", "key: untrusted")
    .replace("0x0$", "0x800000000000001a$")
    .replace(NEW, "image: unchanged, outside: unchanged")
)


@pytest.fixture
def recipe(tmp_path):
    """Reads a recipe."""

    def read(text: str):
        path = tmp_path / "a.recipe.yaml"
        path.write_text(text)
        return load(path)

    return read


@pytest.fixture
def ran(board, recipe, tmp_path):
    """Runs one on the QEMU board."""
    return lambda text: run(recipe(text), board, tmp_path)


@pytest.mark.parametrize("text", [UPDATE, REFUSED], ids=["accepted", "refused"])
def test_an_update_and_its_twin(text, ran):
    outcome = ran(text)
    assert (outcome.verdict, outcome.failed, outcome.crash) == (NOT, (), "")


def test_every_effect_that_did_not_happen_is_named(board, recipe, tmp_path):
    """The expectations of the one on the steps of the other: all but the deleted file differ."""
    accepted, refused = recipe(UPDATE), recipe(REFUSED)
    outcome = run(replace(refused, expect=accepted.expect), board, tmp_path)
    assert [held.holds for held in outcome.expected] == [False, False, True, True, True]
    assert outcome.failed[1].why == (
        "the flash: image is unchanged, image starts with "
        "6f6c64206669726d776172652c206f6c64206669726d776172652c20"
    )


def test_a_board_that_was_used_is_as_new(ran):
    assert ran(UPDATE).verdict is NOT
    assert ran(REFUSED).verdict is NOT  # the flash has its old content again


STEPS = """
title: what a step gives
steps:
  - uboot: false
    save: failed
  - uboot: echo one; echo two
expect:
  - {status: {of: failed, is: 1}}
  - output: '^one\\ntwo$'
  - {output: 'U-Boot (?P<version>20\\d\\d)', in: boot}
  - crash: false
"""


def test_outputs_and_their_captures(ran):
    outcome = ran(STEPS)
    assert outcome.verdict is NOT, outcome.reason
    assert re.fullmatch(r"20\d\d", outcome.expected[2].captures["version"])


CRASHES = {
    "crash": ("mw.l 0xffffffffff000000 1", "the firmware crashed: Synchronous Abort"),
    "reset": ("reset", "the firmware reset by itself during `reset`"),
    "hang": ("while true; do; true; done\n    timeout: 1", "did not return within 1 s"),
}


@pytest.mark.parametrize(("line", "crash"), CRASHES.values(), ids=CRASHES)
def test_a_crash_ends_the_steps_and_is_the_outcome(line, crash, board, recipe, tmp_path):
    steps = f"steps:\n  - uboot: {line}\n  - uboot: echo never\n    save: later\n"
    lines = f"title: crash\n{steps}expect:\n  - {{absent: never, in: later}}\n"
    outcome = run(recipe(lines), board, tmp_path)
    assert crash in outcome.crash
    assert len(outcome.steps) == 1
    assert [held.holds for held in outcome.expected] == [False, False]
    assert outcome.verdict is REPRODUCED
    seen = run(recipe(lines + "symptom:\n  - crash: true\n"), board, tmp_path)
    assert seen.verdict is REPRODUCED
    other = run(recipe(lines + "symptom:\n  - output: something else\n"), board, tmp_path)
    assert other.verdict is CANNOT
    well = replace(recipe(lines), steps=(UBoot("echo later", save="later"),))
    assert run(well, board, tmp_path).verdict is NOT  # the board is usable after that


STICKS = """
title: sticks come and go
machine: {memory: 512M, without: edu}
media:
  stick: {declaration: {partitions: [{files: {who.txt: {text: stick}}}]}}
devices:
  - {driver: usb-hub, name: hub, port: "2"}
  - {driver: usb-storage, medium: stick, name: first, port: "1"}
steps:
  - {uboot: usb start, save: one}
  - plug: {driver: usb-storage, medium: stick, name: second, port: "3"}
  - {uboot: usb reset, save: two}
  - unplug: first
  - {uboot: usb reset, save: again}
  # With two of them plugged, which one is 0 goes by the port that is ready first
  - uboot: fatwrite usb 0:1 $fdtcontroladdr written.txt 4
  - {uboot: ls usb 0:1, save: rest}
  - power-cycle: {}
  - {uboot: bdinfo, save: memory}
expect:
  - {output: ' 1 Storage Device', in: one}
  - {output: ' 2 Storage Device', in: two}
  - {output: ' 1 Storage Device', in: again}
  - {output: 'written.txt', in: rest}
  - {output: 'size *= 0x0*20000000', in: memory}
  - file: {medium: stick, path: who.txt, text: stick}
  - file: {medium: stick, path: written.txt, exists: false}
"""


def test_devices_are_plugged_and_unplugged(ran, board):
    outcome = ran(STICKS)
    assert outcome.verdict is NOT, outcome.reason
    line = board.machine.command_lines[0]
    assert "edu,addr=0x12" not in line
    assert "512M" in line
    assert any('"driver": "usb-hub"' in word for word in line)


MENU = """
title: a menu
steps:
  - uboot: setenv bootmenu_0 Top=true; setenv bootmenu_1 'Bottom=setenv ran bottom'
  - {menu: bootmenu -1, until: '│Top│', save: drawn}
  - {press: ["\\e[B"], until: '│Bottom│', save: moved}
  - press: ["\\r"]
  - uboot: echo ran=$ran
expect:
  - {output: '│Top│\\n +Bottom', in: drawn}
  - {output: '│Bottom│', in: moved}
  - output: '^ran=bottom$'
"""


def test_keys_at_a_menu(ran):
    outcome = ran(MENU)
    assert outcome.verdict is NOT, outcome.reason


def test_a_menu_that_ends_by_itself_gets_no_keys(ran):
    outcome = ran(MENU.replace('["\\e[B"]', '["\\e"]'))
    assert [held.holds for held in outcome.expected] == [True, False, False, True]
    assert outcome.steps[3].output == "the menu has ended"


def test_a_menu_that_stays_is_a_hang(ran):
    outcome = ran(MENU.replace('  - press: ["\\r"]\n', ""))
    assert "`bootmenu -1` did not return" in outcome.crash


LINUX = """
title: under Linux
kernel: debian:6.1
steps:
  - uboot: setenv said hello
  - linux: {arguments: "loglevel=4 ubtest.word=xyz"}
  - {shell: cat /proc/cmdline, save: line}
  - shell: "false"
expect:
  - {output: 'ubtest.word=xyz', in: line}
  - status: {is: 1}
"""


def test_a_kernel_and_its_shell(ran):
    outcome = ran(LINUX)
    assert outcome.verdict is NOT, outcome.reason


def test_a_kernel_that_dies_is_the_crash(ran):
    outcome = ran(LINUX.replace("/proc/cmdline", "/proc/cmdline; echo c > /proc/sysrq-trigger"))
    assert "crash" in outcome.crash
    assert outcome.verdict is REPRODUCED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("without: edu", "without: floppy"), "the board has no floppy to leave away"),
        (("- unplug: first", "- unplug: first\n  - unplug: first"), "`first` is not plugged in"),
        (("{memory: 512M, without: edu}", "{cpu: z80}"), "unable to find CPU model"),
        (("path: who.txt", "partition: 2, path: who.txt"), "no partition 2"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_an_error_and_no_verdict(change, message, board, recipe, tmp_path):
    with pytest.raises((CaseError, HostError), match=message):
        run(recipe(STICKS.replace(*change)), board, tmp_path)
    assert run(recipe(STEPS), board, tmp_path).verdict is NOT


AS_TESTS = {  # a known bug of 2025.01 and of no other test here
    "passes": ("", ""),
    "fails": ("", "  - output: missing\n"),
    "other-board": ("board: [qemu-arm, sandbox]\n", ""),
    "lacks": ("needs: NO_SUCH_CONFIG\n", ""),
    "is-slow": ("slow: true\n", ""),
    "known-and-seen": (
        "known_bug: usb-scan-takes-memory\n",
        "  - output: missing\nsymptom:\n  - output: one\n",
    ),
    "known-and-not-seen": (
        "known_bug: usb-scan-takes-memory\n",
        "  - output: missing\nsymptom:\n  - output: none\n",
    ),
    "known-and-gone": (
        "known_bug: usb-scan-takes-memory\n",
        "symptom:\n  - output: none\n",
    ),
    "fixed": ("known_bug: usb-paths-without-ports\n", "  - output: missing\n"),
    "lab": ("machine: {cpu: z80}\n", ""),
}
VERDICTS = {
    "passes": "passed",
    "fails": "failure",
    "other-board": "skipped",
    "lacks": "skipped",
    "known-and-seen": "skipped",  # xfailed
    "known-and-not-seen": "failure",
    "known-and-gone": "failure",
    "fixed": "failure",
    "lab": "error",
}


@pytest.fixture
def folder(tmp_path):
    """Recipes of all kinds."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    for name, (top, end) in AS_TESTS.items():
        (folder / f"{name}.recipe.yaml").write_text(f"{top}{STEPS.lstrip()}{end}")
    return folder


def test_pytest_runs_recipes(run_pytest, folder):
    ended = run_pytest("--lg-env", str(QEMU), str(folder)).finish()
    found = {name.rpartition("::")[2]: verdict for name, verdict in verdicts(ended).items()}
    assert found == VERDICTS, ended.output
    assert "the recipe is for qemu-arm, sandbox, this is qemu-arm64" in ended.output
    assert "the firmware lacks CONFIG_NO_SUCH_CONFIG" in ended.output
    assert "known bug usb-scan-takes-memory" in ended.output
    assert "not as expected, and not as reported" in ended.output
    (console,) = ended.results.glob("*-*/passes.*/console.log")
    assert "< one" in console.read_text()
    junit = (console.parents[1] / "junit.xml").read_text()
    assert re.search(r'name="version" value="20\d\d"', junit)
    assert ended.left_behind == []


def test_a_recipe_that_is_wrong_ends_the_run_before_the_first_test(run_pytest, folder):
    wrong = folder / "passes.recipe.yaml"
    wrong.write_text(wrong.read_text().replace("crash: false", "crash: perhaps"))
    ended = run_pytest("--lg-env", str(QEMU), str(folder)).finish()
    assert re.search(r"passes.recipe.yaml:\d+: crash must be true or false", ended.output)
    assert "passed" not in ended.output
    wrong.write_text(f"known_bug: no-such-bug\n{STEPS.lstrip()}")
    ended = run_pytest("--lg-env", str(QEMU), str(folder)).finish()
    assert "no known bug `no-such-bug`: one of" in ended.output
    assert "Traceback" not in ended.output


def test_a_recipe_without_a_board_says_how_to_name_one(run_pytest, folder):
    ended = run_pytest(str(folder / "passes.recipe.yaml"), ours=False).finish()
    assert "pytest --lg-env boards/qemu-arm64.yaml" in ended.output
    assert "1 error" in ended.output
