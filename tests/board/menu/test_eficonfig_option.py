"""Boot options made, changed and taken away in menus: the variables hold exactly that."""

from dataclasses import replace
from zlib import crc32

import pytest
from boot_changes import changed, number_of

from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.probe.facts import Initrd, parse_facts
from ubtest.uefi import variables
from ubtest.uefi.eficonfig import ADD, DELETE, EDIT, EMPTY_DESCRIPTION, NO_FILE, SELECT_OPTION
from ubtest.uefi.menu import CTRL_C, ESC, SPACE, entries

pytestmark = pytest.mark.needs("CMD_EFICONFIG", "CMD_NVEDIT_EFI")

INITRD = bytes.fromhex("04031400 27e46855 fc683d4f ac74ca55 5231cc68")  # UEFI 2.10 section 3.1.3


@pytest.fixture(scope="session")
def prompt_disk(menu_disk):
    return menu_disk[1]


# add


def test_an_added_option_is_exactly_what_was_typed(options, prompt, eficonfig):
    before, order = options.all(), options.read_order()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "My system")
        menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "ONE.EFI")
        menu.choose("Save")
        menu.leave()
    after = options.all()
    number = number_of(changed(before, after))
    attributes, data = after[f"Boot{number:04X}", GLOBAL_VARIABLE]
    option = LoadOption.parse(data)
    assert attributes == variables.PERSISTENT
    assert replace(option, path=b"") == LoadOption("My system", b"", ACTIVE, b"")
    assert option.path.endswith(options.file("EFI\\TEST\\ONE.EFI"))
    assert options.read_order() == [*order, number]


@pytest.mark.slow
def test_an_added_option_survives_a_reset(options, prompt, eficonfig):
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "Stays")
        menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "TWO.EFI")
        menu.choose("Save")
        menu.leave()
    number = number_of(changed(before, options.all()))
    option, order = options.read(number), options.read_order()
    options.uboot.reset()
    options.find_disk()
    assert options.read(number) == option
    assert options.read_order() == order


@pytest.mark.needs("CMD_BOOTEFI_BOOTMGR")
def test_an_added_option_boots(options, probes, prompt, eficonfig):
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "Probe")
        menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "TWO.EFI")
        menu.pick_file("Initrd File", options.volume, "initrd.img")
        menu.type_into("Optional Data", "word=1")
        menu.choose("Save")
        menu.leave()
    number = number_of(changed(before, options.all()))
    options.order(number)
    (facts,) = parse_facts(options.uboot.check("bootefi bootmgr"))
    assert facts.nonce == probes["EFI/TEST/TWO.EFI"].nonce
    assert facts.boot_current == number
    assert facts.options == "word=1\0".encode("utf-16-le")
    assert facts.initrd == Initrd(len(b"initrd"), crc32(b"initrd"))


@pytest.mark.slow
def test_optional_data_and_initrd(options, prompt, eficonfig):
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "Linux")
        menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "ONE.EFI")
        menu.pick_file("Initrd File", options.volume, "initrd.img")
        menu.type_into("Optional Data", "root=/dev/vda2 quiet")
        menu.choose("Save")
        menu.leave()
    option = options.read(number_of(changed(before, options.all())))
    assert option.data == ("root=/dev/vda2 quiet\0").encode("utf-16-le")
    path, separator, initrd = option.path.partition(INITRD)
    assert separator, "no initrd in the path"
    assert path.endswith(options.file("EFI\\TEST\\ONE.EFI"))
    assert initrd.endswith(options.file("initrd.img"))


def test_leaving_an_added_option_unsaved_changes_nothing(options, prompt, eficonfig):
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "Nothing")
        menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "ONE.EFI")
        menu.choose("Quit")
        menu.leave()
    assert changed(before, options.all()) == set()


@pytest.mark.slow
@pytest.mark.parametrize("field", ["description", "file"])
def test_an_incomplete_option_is_not_saved(options, prompt, eficonfig, field):
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        if field == "description":
            menu.pick_file("File", options.volume, "EFI\\", "TEST\\", "ONE.EFI")
        else:
            menu.type_into("Description", "No file")
        menu.choose("Save")
        menu.shows(EMPTY_DESCRIPTION if field == "description" else NO_FILE)
        menu.press(SPACE)
        menu.shows("** Add Boot Option **")
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, options.all()) == set()


@pytest.mark.slow
def test_escape_leaves_a_field_as_it_was(options, prompt, eficonfig):
    with eficonfig(prompt) as menu:
        menu.open(ADD, "** Add Boot Option **")
        menu.type_into("Description", "Kept")
        menu.choose_field("Description")
        menu.ask()
        menu.insist(b"x", "x")
        menu.press(ESC)
        menu.shows("Description: Kept")
        menu.press(CTRL_C)
        menu.leave()


# edit


def test_an_edited_description_leaves_the_rest_alone(three, prompt, eficonfig):
    before, option = three.all(), three.read(0x11)
    with eficonfig(prompt) as menu:
        menu.open(EDIT, SELECT_OPTION)
        menu.choose("Beta")
        menu.shows("** Edit Boot Option **")
        menu.type_into("Description", "Edited")
        menu.choose("Save")
        menu.shows(SELECT_OPTION)
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == {"Boot0011"}
    assert three.read(0x11) == replace(option, description="Edited")


@pytest.mark.slow
def test_an_edited_file(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(EDIT, SELECT_OPTION)
        menu.choose("Gamma")
        menu.shows("** Edit Boot Option **")
        menu.pick_file("File", three.volume, "EFI\\", "TEST\\", "TWO.EFI")
        menu.choose("Save")
        menu.shows(SELECT_OPTION)
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == {"Boot0012"}
    assert three.read(0x12).path.endswith(three.file("EFI\\TEST\\TWO.EFI"))


@pytest.mark.slow
def test_an_edit_that_is_left_changes_nothing(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(EDIT, SELECT_OPTION)
        menu.choose("Alpha")
        menu.shows("** Edit Boot Option **")
        menu.type_into("Description", "Other")
        menu.press(CTRL_C)
        menu.shows(SELECT_OPTION)
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == set()


# delete


def test_a_deleted_option_is_gone_from_the_order_too(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(DELETE, SELECT_OPTION)
        menu.choose("Beta")
        menu.expect(lambda page: "Beta" not in entries(page), "no Beta")
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == {"Boot0011", "BootOrder"}
    assert three.read(0x11) is None
    assert three.read_order() == [0x10, 0x12]


@pytest.mark.slow
def test_leaving_the_list_deletes_nothing(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(DELETE, SELECT_OPTION)
        menu.move_to("Beta")
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == set()


@pytest.mark.slow
def test_the_firmwares_own_options_are_not_offered(three, prompt, eficonfig):
    with eficonfig(prompt) as menu:
        page = menu.open(DELETE, SELECT_OPTION)
        assert entries(page) == ("Alpha", "Beta", "Gamma", "Quit")
        menu.press(CTRL_C)
        menu.leave()
