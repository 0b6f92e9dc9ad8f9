"""A boot option and the image that it starts: load options, initrd, and the path of the image."""

import random
from zlib import crc32

import pytest

from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_text import parse_path, path_text
from ubtest.formats.loadopt import ACTIVE
from ubtest.probe.facts import Initrd
from ubtest.uefi.boot import Boot
from ubtest.uefi.boot_plan import BootPlan, Entry, partition
from ubtest.uefi.planned import options_in

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "CMD_NVEDIT_EFI", "EFI_VARIABLE_FILE_STORE")

needs_initrd = pytest.mark.needs("EFI_LOAD_FILE2_INITRD")
BIG = (1, 4096, 3_000_001)  # bytes of an initrd

STARTS = Entry()
BOTH = {1: STARTS, 2: STARTS}


# what reaches the image

DATA = {
    "none": b"",
    "one byte": b"x",
    "text": "root=/dev/vda1 quiet\0".encode("utf-16-le"),
    "every byte": bytes(range(256)),
    "zeros": bytes(33),
    "a page": bytes(n * 7 % 251 for n in range(4096)),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "every byte")) for name in DATA]
)
def test_load_options_arrive_byte_for_byte(planned, name):
    data = DATA[name]
    made = planned(BootPlan({1: Entry(data=data), 2: Entry(data=b"of another")}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert tried.facts.options == data


@pytest.mark.slow
def test_load_options_of_an_option_that_did_not_start_are_not_left_over(planned):
    made = planned(BootPlan({1: Entry(file="none", data=b"of the first"), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert tried.facts.options == b""


@needs_initrd
@pytest.mark.parametrize("size", [5000, *(pytest.param(n, marks=pytest.mark.slow) for n in BIG)])
def test_an_initrd_arrives_whole(planned, size):
    content = random.Random(size).randbytes(size)
    made = planned(BootPlan({1: Entry(initrd=content), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (Initrd(size, crc32(content)), None)


@needs_initrd
@pytest.mark.slow
def test_no_initrd_where_the_option_names_none(planned):
    made = planned(BootPlan({1: STARTS, 2: Entry(initrd=b"of another")}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (None, None)


@needs_initrd
@pytest.mark.slow
def test_the_initrd_of_the_option_that_failed_is_not_given_to_the_next(planned):
    made = planned(BootPlan({1: Entry(file="none", initrd=b"of the first"), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (None, None)


# the path of the image


def check_path(tried: Boot, name: str) -> None:
    """The image is known by its file on the plan's partition, whatever form the option had."""
    facts = tried.facts
    nodes = parse_path(facts.device)
    found = partition()
    sectors = found.last_lba - found.first_lba + 1
    assert str(nodes[-1]) == f"HD(1,GPT,{found.unique_guid},{found.first_lba:#x},{sectors:#x})"
    assert len(nodes) > 1
    assert facts.file == file_path(name) + END
    assert path_text(parse_path(facts.path)) == facts.text


FORMS = ["file", *(pytest.param(form, marks=pytest.mark.slow) for form in ("short", "partition"))]


@pytest.mark.parametrize("form", FORMS)
def test_the_image_knows_its_path(planned, machine, form):
    made = planned(BootPlan({1: Entry(form=form)}, (1,)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    check_path(tried, machine.boot_path_name if form == "partition" else "\\0001.EFI")
    given = made.plan.option(1).path
    whole = tried.facts.device.removesuffix(END) + tried.facts.file
    if form == "short":  # section 9.2: what LoadImage() was given, which may be the short form
        assert tried.facts.path in (given, whole)
    elif form == "file":
        assert tried.facts.path == whole
    else:
        assert tried.facts.path in (given.removesuffix(END) + tried.facts.file, whole)


# options made at the prompt


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
@pytest.mark.parametrize("flag", ["-b", "-B"])
def test_an_option_typed_in(planned, board, flag):
    made = planned(BootPlan(BOTH, (1,)))
    board.uboot.check(f"efidebug boot add {flag} 3 typed {board.storage.partition} 0002.EFI")
    board.uboot.check("efidebug boot order 3 1")
    options = options_in(made.now())
    assert 3 in options
    option = options[3]
    assert (option.description, option.attributes, option.data) == ("typed", ACTIVE, b"")
    nodes = parse_path(option.path)
    name = str(nodes[-1])
    assert name.removeprefix("\\") == "0002.EFI"
    assert (nodes[0] == parse_path(made.plan.option(2).path)[0]) == (flag == "-b")  # HD() first
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert tried.facts.boot_current == 3
    check_path(tried, name)
    if flag == "-B":
        assert tried.facts.path == option.path


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
def test_a_removed_option_does_not_start(planned, board):
    made = planned(BootPlan(BOTH, (1, 2)))
    board.uboot.check("efidebug boot rm 1")
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert "Boot0001" not in made.now()
    assert "Boot0001" not in made.stored()


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
def test_next_typed_in(planned, board):
    made = planned(BootPlan(BOTH, (1, 2)))
    board.uboot.check("efidebug boot next 2")
    assert made.options_of(made.boot()) == [2]
    assert made.options_of(made.boot()) == [1]


@needs_initrd
@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
@pytest.mark.parametrize("flags", [("-b", "-i"), ("-B", "-I")])
def test_an_initrd_typed_in(planned, board, flags):
    content = b"an initrd"
    made = planned(BootPlan({1: Entry(initrd=content), 2: STARTS}, (2,)))
    option, initrd = flags
    volume = board.storage.partition
    board.uboot.check(
        f"efidebug boot add {option} 3 typed {volume} 0002.EFI {initrd} {volume} 0001.IMG"
    )
    board.uboot.check("efidebug boot order 3 2")
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert tried.facts.boot_current == 3
    assert tried.facts.initrd == Initrd(len(content), crc32(content))
