"""From what was understood to a recipe: steps, devices, symptoms, what is left to the reader."""

import pytest

from ubtest.recipe import dump, load
from ubtest.recipe.checks import problems
from ubtest.recipe.devices import DRIVERS
from ubtest.recipe.expectations import Crash, Output
from ubtest.recipe.steps import Linux, Shell, UBoot
from ubtest.repro.dialogue import board_of
from ubtest.repro.draft import draft
from ubtest.repro.hardware import read_words
from ubtest.repro.message import Evidence, Found, Line, Message, Part
from ubtest.repro.qemu_line import QemuLine
from ubtest.repro.transcript import Exchange, Prompt, Side, Transcript
from ubtest.repro.understanding import Understanding

HERE = Evidence(1, "", 7, "the line")
ADDING = (
    "Adding disk for usb_mass_storage.lun0 failed (err=-9223372036854775788/0x8000000000000014)"
)
FOUND = "scanning usb for storage devices... 2 Storage Device(s) found"
MAIL = Message(1, "Re: [BUG] usb: second stick", date="2023-02-01", message_id="<1@x>")


def found(*values):
    return tuple(Found(value, HERE) for value in values)


def said(command, *output, prompt=Prompt.UBOOT, side=Side.TARGET, message=1):
    place = Evidence(message, "", 7, f"=> {command}")
    return Exchange(prompt, side, "=> ", command, output, place)


def talk(*exchanges):
    return Transcript(exchanges)


def drafted(*transcripts, messages=(MAIL,), **facts):
    return draft(list(messages), Understanding(transcripts=transcripts, **facts))


TWINS = talk(said("usb start", FOUND, ADDING), said("efidebug dh"))


def test_the_second_stick():
    made = drafted(TWINS)
    recipe = made.recipe
    assert [step.uboot for step in recipe.steps] == ["usb start", "efidebug dh"]
    assert [(each.driver, each.properties) for each in recipe.devices] == [
        ("usb-storage", {"port": "1"}),
        ("usb-storage", {"port": "2"}),
    ]
    own, later = recipe.symptom
    assert (own.in_, later.in_) == ("out1", "out2")  # another version may say it later
    assert own.output == later.output
    assert recipe.expect == (Crash(False),)
    assert made.conclusive
    assert recipe.title == "usb: second stick"
    assert recipe.from_ == "report by mail, 2023-02-01, <1@x>"


def test_a_draft_is_a_recipe_that_can_be_loaded(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "keyring.yaml").write_text("")
    path = tmp_path / "x.recipe.yaml"
    made = drafted(TWINS, qemu=(QemuLine(tuple(WORDS), HERE),)).recipe
    path.write_text(dump(made))
    assert load(path) == made


def test_the_words_of_a_report_count_sticks_when_its_console_does_not():
    words = Message(1, "usb", parts=(Part("", (Line(1, "I have two identical USB sticks"),)),))
    assert len(drafted(talk(said("usb start")), messages=[words]).recipe.devices) == 2
    assert len(drafted(talk(said("usb start"))).recipe.devices) == 1
    assert drafted(talk(said("version"))).recipe.devices == ()


def test_nothing_of_the_host_becomes_a_step():
    made = drafted(talk(said("rm -rf /", prompt=Prompt.LINUX_USER, side=Side.HOST)))
    assert made.recipe is None
    assert "no command" in made.notes[0]
    mixed = talk(said("make", side=Side.HOST, prompt=Prompt.LINUX_USER), said("version"))
    assert drafted(mixed, shell=found("make")).recipe.steps == (UBoot("version", save="out1"),)


def test_linux_starts_before_its_first_line():
    made = drafted(talk(said("version"), said("dmesg", "x failed", prompt=Prompt.LINUX_ROOT)))
    kinds = [type(step) for step in made.recipe.steps]
    assert kinds == [UBoot, Linux, Shell]
    assert made.recipe.kernel == "debian:6.1"
    assert made.recipe.symptom[0].in_ == "out2"
    newer = drafted(talk(said("dmesg", prompt=Prompt.LINUX_ROOT)), kernels=found("6.12.3"))
    assert newer.recipe.kernel == "debian:6.12"


def test_a_command_given_twice_has_each_its_own_symptom():
    made = drafted(talk(said("usb start", "fine"), said("usb start", "it failed")))
    assert [each.in_ for each in made.recipe.symptom] == ["out2", "out1"]


def test_how_a_line_starts_is_no_evidence():
    made = drafted(talk(said("printenv -e X", 'Failed to print: "X" not defined')))
    assert [each.output for each in made.recipe.symptom] == ['"X" not defined']
    kept = drafted(talk(said("usb start", "Error: failed")))
    assert [each.output for each in kept.recipe.symptom] == ["Error: failed"]


def test_a_crash_is_a_symptom_of_its_own():
    made = drafted(talk(said("usb start", '"Synchronous Abort" handler, esr 0x96000004')))
    assert made.recipe.symptom == (Crash(True),)
    assert made.recipe.expect == (Crash(False),)


def test_what_is_quoted_of_the_expected_is_expected():
    made = drafted(talk(said("usb start")), expected=found("should say `2 Storage Device(s)`"))
    assert made.recipe.expect[0] == Output(r"2 Storage Device\(s\)", in_="out1")
    assert made.conclusive
    two = talk(said("usb start"), said("usb tree"))
    assert not drafted(two, expected=found("should say `2 Storage Device(s)`")).conclusive


def test_a_guid_that_is_expected():
    guid = "36122546-f7e7-4c8f-bd9b-eb8525b50c0b"
    made = drafted(talk(said("efidebug tables")), expected=found(f"it should be {guid}"))
    assert made.recipe.expect[0] == Output(guid, in_="out1")


def test_a_report_that_shows_no_trouble_proves_nothing():
    assert not drafted(talk(said("usb start", "fine"))).conclusive


def test_a_dialogue_of_another_message_and_one_that_repeats_are_left_out():
    again = talk(said("usb start", "fine"), said("efidebug dh"))
    other = talk(said("version", message=2))
    made = drafted(TWINS, again, other)
    assert len(made.recipe.steps) == 2
    assert [note for note in made.notes if "same commands" in note]
    assert [note for note in made.notes if "another message" in note]


def test_the_reporters_own_system_is_not_started():
    made = drafted(talk(said("usb start", "x failed"), said("run bootcmd"), said("bootm 1")))
    assert len(made.recipe.steps) == 1
    assert sum("starts a system" in note for note in made.notes) == 2


def test_what_asks_the_network_is_left_out():
    made = drafted(talk(said("version"), said("ping 192.0.2.1", "ping failed; not alive")))
    assert [step.uboot for step in made.recipe.steps] == ["version"]
    assert made.recipe.symptom == ()
    assert not made.conclusive


def test_a_disk_that_is_read_is_there():
    made = drafted(talk(said("load virtio 0:1 $loadaddr /x", "failed")))
    assert [each.driver for each in made.recipe.devices] == ["virtio-blk-pci"]


def test_of_several_boards_only_the_one_that_is_tried():
    def at(line, transcript):
        (each,) = transcript.exchanges
        place = Evidence(1, "", line, "x")
        return talk(Exchange(each.prompt, each.side, "=> ", each.command, each.output, place))

    boards = tuple(Found(n, Evidence(1, "", at, n)) for n, at in (("rpi_4", 3), ("qemu_arm64", 9)))
    theirs, ours = at(5, talk(said("usb start", "it failed"))), at(12, talk(said("version")))
    made = drafted(theirs, ours, boards=boards)
    assert [step.uboot for step in made.recipe.steps] == ["version"]
    assert any("another board" in note for note in made.notes)


def test_a_board_of_ours_or_the_usual_one():
    assert board_of(Understanding(boards=found("rock5b", "qemu_arm"))) == "qemu-arm"
    assert board_of(Understanding()) == "qemu-arm64"
    made = drafted(TWINS, boards=found("rock5b"))
    assert made.recipe.board == ("qemu-arm64",)
    assert any("rock5b" in note for note in made.notes)


LINE = (
    "qemu-system-aarch64 -M virt,gic-version=3 -m 1G -smp 2 -cpu cortex-a57 -bios u-boot.bin "
    "-drive if=none,file=/home/x/a.img,id=a -drive if=none,file=/etc/passwd,id=b "
    "-device qemu-xhci,id=xhci -device usb-storage,bus=xhci.0,port=1,drive=a "
    "-device usb-storage,bus=xhci.0,port=3,drive=b,serial=7 -nographic"
)
WORDS = LINE.split()


def test_devices_of_a_command_line():
    made = drafted(TWINS, qemu=(QemuLine(tuple(WORDS), HERE),)).recipe
    assert [(each.driver, each.properties) for each in made.devices] == [
        ("qemu-xhci", {}),
        ("usb-storage", {"port": "1"}),
        ("usb-storage", {"port": "3", "serial": "7"}),
    ]
    assert len({each.medium for each in made.devices if each.medium}) == 2
    assert (made.machine.memory, made.machine.smp) == ("1024M", 2)
    assert made.machine.machine == "virt,gic-version=3"
    assert not [path for path in ("/home", "/etc", "u-boot.bin") if path in dump(made)]


def test_what_the_board_has_is_not_put_in_twice():
    made = read_words(WORDS, ["qemu-xhci"])
    assert [each.driver for each in made.devices] == ["usb-storage", "usb-storage"]
    two = [*WORDS, "-device", "qemu-xhci,id=other", "-device", "usb-storage,bus=other.0,drive=a"]
    made = read_words(two, ["qemu-xhci"])
    assert [(each.driver, each.to) for each in made.devices[2:]] == [
        ("qemu-xhci", ""),
        ("usb-storage", made.devices[2].name),
    ]


@pytest.mark.parametrize(
    "word",
    [
        "vfio-pci,host=0000:01:00.0",
        "loader,file=/etc/shadow,addr=0",
        "e1000e,romfile=/etc/shadow",
        "usb-storage,drive=a,serial=a;b",
        "ivshmem-plain,memdev=m",
        "virtio-9p-pci,fsdev=f",
    ],
)
def test_what_reaches_the_host_is_left_out_and_told(word):
    made = read_words(["qemu", "-device", word], [])
    text = repr([(each.driver, each.properties) for each in made.devices])
    assert not any(bad in text for bad in ("host", "file", ";", "shadow", "memdev", "fsdev"))
    assert made.notes or "romfile" in word
    assert {each.driver for each in made.devices} <= set(DRIVERS)


@pytest.mark.parametrize(
    "words",
    [["-chardev", "file,path=/x"], ["-fsdev", "local,path=/"], ["-M", "virt,dumpdtb=/x"], ["-m"]],
)
def test_other_options_are_never_taken(words):
    made = read_words(["qemu", *words], [])
    assert made.devices == []
    assert made.machine.machine == ""


def test_a_flood_of_devices_is_bounded():
    made = read_words(["qemu", *["-device", "usb-hub"] * 99], [])
    assert len(made.devices) == 16


def vfio(message):
    """A report with these words of QEMU, and steps on the reporter's target."""
    line = "echo f2000000.ethernet > /sys/bus/platform/drivers/mvpp2/unbind"
    bind = said(line, prompt=Prompt.LINUX_ROOT)
    mail = Message(1, "VFIO on MacchiatoBin", parts=(Part("", (Line(1, message),)),))
    return drafted(talk(bind), messages=[mail])


def test_context_banks_on_a_replica():
    made = vfio("kvm: Failed to set iommu for container: No space left on device")
    assert made.conclusive
    assert made.recipe.machine.machine == "virt,gic-version=2"
    linux = made.recipe.steps[0].linux
    assert any("ap806-smmu-500" in line for line in linux.tree)
    assert "f2000000" not in dump(made.recipe)
    assert made.recipe.symptom == (
        Output('"step":"VFIO_SET_IOMMU","ok":false,"errno":28', in_="probe"),
    )
    assert any("SMMU-500" in note for note in made.notes)
    assert not list(problems(made.recipe))


def test_words_that_a_mail_program_wrapped():
    lines = ("kvm: Failed to set iommu for container: No", "space", "left on device", "Thanks")
    part = Part("", tuple(Line(n, text) for n, text in enumerate(lines, 1)))
    assert drafted(messages=[Message(1, "VFIO", parts=(part,))]).recipe.kernel == "debian:6.1"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("vfio 0000:01:00.0: group 4 is not viable", "on a driver of the host"),
        ("Failed to set iommu for container: Operation not permitted", "unsafe_interrupts"),
    ],
)
def test_another_refusal_of_vfio_is_explained_and_not_made(message, cause):
    made = vfio(message)
    assert made.recipe is None
    assert any(cause in note for note in made.notes)
