"""A recipe as a file: what is wrong is named with file, line, key and what is allowed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.recipe import SUFFIX, dump, load
from ubtest.recipe.devices import PROPERTIES, Device
from ubtest.recipe.expectations import EXPECTATIONS, Output
from ubtest.recipe.file import check
from ubtest.recipe.schema import Machine, Medium
from ubtest.recipe.steps import STEPS, UBoot
from ubtest.recipe.tables import tables

ROOT = Path(__file__).parents[3]
HAND_WRITTEN = sorted((ROOT / "tests" / "recipes").glob(f"*{SUFFIX}"))

WHOLE = r"""
title: "Everything: that a recipe may say"
from: "a mail, <message-id>"
known_bug: usb-paths-without-ports
board: [qemu-arm64, qemu-arm]
needs: [CMD_USB, "!EFI_LOADER_BOUNCE_BUFFER", usb-hotplug]
slow: true
machine: {memory: 512M, smp: 2, cpu: "max,pmu=off", machine: "virt,iommu=smmuv3", without: edu}
media:
  stick: {image: esp}
  disk:
    declaration:
      size: 32M
      partitions:
        - {kind: linux, fat: none, size: 1M}
        - files:
            a.txt: {text: "two\nlines\n"}
            EFI/BOOT/BOOTAA64.EFI: {probe: aa64, nonce: abc}
            EFI/UpdateCapsule/a.cap:
              capsule: {hex: 00 ff, size: 0x100, key: none, index: 2, version: 3}
devices:
  - {driver: usb-storage, medium: stick, port: "3", removable: true}
  - {driver: usb-bot, name: bot}
  - {driver: scsi-cd, medium: stick, to: bot, lun: 0}
  - {driver: virtio-net-pci, mac: "52:54:00:00:00:01", romfile: ""}
  - {driver: storage, medium: disk}
steps:
  - find: {}
  - {uboot: "capsule", save: update, resets: true, timeout: 90}
  - {menu: bootmenu -1, until: Top, save: menu, timeout: 2}
  - {press: ["\e", 0.015, "[B", "\r", "1"], until: "│Bottom│", save: moved}
  - plug: {driver: usb-storage, medium: stick, name: more}
  - unplug: more
  - {reset: {}, save: log}
  - power-cycle: {}
  - {uboot: "echo äöü 'x' \"y\"", save: last}
expect:
  - {output: 'a (?P<word>\w+)$', in: update}
  - {absent: 'error:', in: boot}
  - {count: {regex: 'x', is: 2}}
  - {status: {of: update, is: 1}}
  - {variable: {name: Max, guid: 39b68c46-f7fb-441b-b6ec-16b0f69821f3, exists: true, data: 00 01}}
  - {flash: {image: changed, outside: unchanged, hex: 00ff}}
  - {file: {medium: disk, partition: 2, path: a.txt, text: ""}}
  - crash: true
symptom:
  - absent: done
"""


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda path: path.name)
def test_what_is_written_is_read_as_the_same(path, write):
    recipe = load(path)
    assert load(write(text=dump(recipe))) == recipe


def test_every_term_survives_writing_and_reading(write):
    recipe = load(write(text=WHOLE))
    text = dump(recipe)
    again = load(write(text=text))
    assert again == recipe
    assert dump(again) == text


def test_the_whole_recipe_uses_every_kind(write):
    recipe = load(write(text=WHOLE))
    linux = {"linux", "shell"}  # not together with a reset
    assert {type(step) for step in recipe.steps} == {STEPS[k] for k in STEPS.keys() - linux}
    assert {type(each) for each in recipe.expect} == set(EXPECTATIONS.values())


def test_a_recipe_with_a_kernel_survives_too(write):
    how = 'through: booti, arguments: "quiet", tree: ["fdt rm /x"], commands: [true]'
    linux = f"  - linux: {{{how}}}\n"
    path = write(
        ("steps:", "kernel: debian:6.1\nsteps:"),
        ("expect", f"{linux}  - {{shell: uname -r, save: name, timeout: 5}}\nexpect"),
    )
    assert load(write(text=dump(load(path)))) == load(path)


def test_defaults_are_not_written(recipe):
    assert dump(recipe()) == (
        "title: a bug\nsteps:\n  - uboot: version\nexpect:\n  - crash: false\n"
    )


MISTAKES = [
    (("title: a bug\n", ""), 1, "a recipe has `title`: text"),
    (("title: a bug", "title:"), 1, "title must be text"),
    (("title", "titel"), 1, "'titel' is not one of title, from, known_bug"),
    (("steps:\n", "steps:\n  - uboot: a\n    uboot: b\n"), 4, "'uboot' stands there twice"),
    (("uboot: version", "u-boot: version"), 3, "a step has one of uboot, find, menu"),
    (("uboot: version", "uboot: version\n    shell: id"), 3, "a step has one of uboot"),
    (("uboot: version", 'uboot: "a\\nb"'), 3, "uboot must be one line"),
    (("version", "version\n    timeout: soon"), 4, "timeout must be seconds"),
    (("version", "version\n    timeout: 0"), 4, "timeout must be seconds"),
    (("version", "version\n    resets: maybe"), 4, "resets must be true or false"),
    (("version", "version\n    save: a b"), 4, "save must be a word"),
    (("version", "version\n    save: boot"), 3, "two outputs are called `boot`"),
    (("version", "version\n  - reset: true"), 4, "reset must be `{}`"),
    (("uboot: version", 'press: ["x"]'), 3, "no menu is open here"),
    (("uboot: version", "shell: id"), 3, "Linux does not run here: linux is the step"),
    (("uboot: version", "linux: {}"), 3, "no `kernel`: name one"),
    (("uboot: version", "unplug: stick"), 3, "no device `stick`: there is none"),
    (("crash: false", "crash: no way"), 5, "crash must be true or false"),
    (("  - crash: false", "  []"), 5, "an empty list proves nothing"),
    (("crash: false", "output: '('"), 5, "`(` is no regular expression"),
    (("crash: false", "output: x\n    in: y"), 6, "no step saves `y`: one of boot"),
    (("crash: false", "count: {regex: x}"), 5, "a count has `is`: a number"),
    (("crash: false", "status: {is: 0, of: y}"), 5, "no step saves `y`"),
    (("crash: false", "flash: {image: same}"), 5, "image must be unchanged or changed"),
    (("crash: false", "variable: {name: A, guid: x}"), 5, "guid must be a GUID"),
    (("crash: false", "variable: {name: A, data: 0x1}"), 5, "data must be pairs of hex digits"),
    (("crash: false", "file: {medium: m, path: a}"), 5, "no medium `m`: there is none"),
]


@pytest.mark.parametrize(("change", "line", "message"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_named(change, line, message, write):
    path = write(change)
    with pytest.raises(CaseError) as caught:
        load(path)
    assert caught.value.message.startswith(f"{path}:{line}: {message}")
    assert caught.value.next_step


ADDED = [
    ("devices: {driver: floppy}\n", "no driver `floppy`: one of storage, usb-storage"),
    ("devices: {driver: usb-hub, bus: x}\n", "'bus' is not one of driver, medium, name, to, port"),
    ("devices: {driver: usb-hub, medium: m}\n", "usb-hub has no medium"),
    ("devices: {driver: nvme}\n", "nvme has a medium: declare one in `media`"),
    ("devices: {driver: nvme, medium: m}\n", "no medium `m`: there is none"),
    ("devices: {driver: nvme, medium: m, serial: 'a,b'}\n", "serial must be a word of letters"),
    ("devices: {driver: e1000, romfile: /etc/passwd}\n", "romfile must be empty"),
    ("machine: {machine: 'virt,dumpdtb=x'}\n", "machine must be virt and properties"),
    ("machine: {cpu: 'max,x=/etc'}\n", "cpu must be a QEMU CPU"),
    ("machine: {memory: 2G}\n", "memory must be MiB like 512M"),
    ("media: {m: {}}\n", "a medium has one of image, declaration"),
    ("media: {m: {image: ../../etc/x}}\n", "image must be the name of a file of images/"),
    ("media: {m: {declaration: {size: 1M}}}\n", "an image has `partitions`"),
    ("media: {m: {declaration: {partitions: [{fat: 64}]}}}\n", "fat must be one of 12, 16"),
    (
        "media: {m: {declaration: {partitions: [{files: {a: {file: /etc/passwd}}}]}}}\n",
        "'file' is not one of text, hex, bundle, kernel, probe, nonce, capsule",
    ),
    (
        "media: {m: {declaration: {partitions: [{files: {a: {capsule: {size: 0x4000001}}}}]}}}\n",
        "size must be at most 64 MiB",
    ),
    (
        "media: {m: {declaration: {partitions: [{files: {a: {capsule: {}}}}]}}}\n",
        "a capsule has one of text, hex",
    ),
]


@pytest.mark.parametrize(("more", "message"), ADDED, ids=lambda value: value[:60])
def test_a_mistake_in_what_is_plugged_in_is_named(more, message, write):
    path = write(more=more)
    with pytest.raises(CaseError, match=re.escape(f"{path}:6: {message}")):
        load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a: [", "not YAML"),
        ("- a\n", "a recipe is a mapping of title"),
        ("[" * 5000, "not YAML"),
        ("x" * (1 << 20) + "y", "larger than 1 MiB"),
    ],
    ids=["empty", "torn", "list", "deep", "large"],
)
def test_what_is_no_recipe_at_all(text, message, write):
    with pytest.raises(CaseError, match=message):
        load(write(text=text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CaseError, match="cannot read"):
        load(tmp_path / "no.recipe.yaml")


PLANTED = {
    "a driver": {"devices": (Device("floppy"),)},
    "a property": {"devices": (Device("e1000", properties={"romfile": "/etc/passwd"}),)},
    "a machine": {"machine": Machine(machine="virt,dumpdtb=x")},
    "two lines": {"steps": (UBoot("version\nreset"),)},
    "a name": {"expect": (Output("x", "nowhere"),)},
}


@pytest.mark.parametrize("change", PLANTED.values(), ids=PLANTED)
def test_a_recipe_of_a_program_is_held_to_the_same(change, recipe):
    check(recipe())
    with pytest.raises(CaseError):
        check(replace(recipe(), **change))


def test_a_medium_of_a_program_holds_no_file_of_the_host():
    with pytest.raises(ValueError, match="no place in a recipe"):
        Medium(declaration={"partitions": [{"files": {"a": {"file": "/etc/passwd"}}}]})


def test_no_property_can_name_a_file_of_the_host():
    names = {each.name for each in PROPERTIES}
    assert names & {"filename", "drive", "chardev", "netdev", "file", "memdev", "path"} == set()


DOCUMENT = (ROOT / "docs" / "recipes.md").read_text()


@pytest.mark.parametrize("name", tables())
def test_the_document_has_the_tables(name):
    assert tables()[name] in DOCUMENT


def test_the_examples_of_the_document_are_recipes(write):
    blocks = re.findall(r"(?:^    [^\n]*\n|^\n(?=    ))+", DOCUMENT, re.MULTILINE)
    examples = [re.sub("^    ", "", b, flags=re.M) for b in blocks if "title:" in b]
    assert len(examples) == 2
    for text in examples:
        load(write(text=text))
