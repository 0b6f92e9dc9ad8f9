"""The boot menu's entries of UEFI: which are shown, in which order, and what choosing one does."""

import pytest

from ubtest.probe.facts import parse_facts
from ubtest.uefi import variables
from ubtest.uefi.bootmenu import define, marking, ran
from ubtest.uefi.menu import CTRL_C, entries

pytestmark = pytest.mark.needs("CMD_BOOTMENU", "CMD_EFICONFIG", "CMD_BOOTEFI_BOOTMGR")


@pytest.fixture(scope="session")
def prompt_disk(menu_disk):
    return menu_disk[1]


ONE, TWO = "EFI/TEST/ONE.EFI", "EFI/TEST/TWO.EFI"


def shown(bootmenu, first):
    with bootmenu() as menu:
        titles = entries(menu.highlights(first))
        menu.press(CTRL_C)
        menu.reply()
    return titles[:-1]


def test_options_come_behind_the_environments_entries(three, bootmenu):
    define(three.uboot, *marking(("First", "Second")))
    three.order(0x12, 0x10, 0x11)
    assert shown(bootmenu, "First") == ("First", "Second", "Gamma", "Alpha", "Beta")


@pytest.mark.slow
def test_the_environments_entry_runs_beside_options(three, bootmenu):
    define(three.uboot, *marking(("First", "Second")))
    with bootmenu() as menu:
        menu.choose("Second")
        menu.reply()
    assert ran(three.uboot) == [1]
    assert variables.read(three.uboot, "BootNext") is None


@pytest.mark.slow
def test_options_that_are_inactive_or_not_in_the_order_are_not_shown(three, bootmenu):
    three.write(0x11, "Beta", attributes=0)
    three.order(0x11, 0x12)
    assert shown(bootmenu, "Gamma") == ("Gamma",)


@pytest.mark.slow
def test_a_description_in_any_script(three, bootmenu):
    three.write(0x10, "Größe ✓ 起動")
    assert shown(bootmenu, "Größe ✓ 起動") == ("Größe ✓ 起動", "Beta", "Gamma")


@pytest.mark.slow
def test_leaving_the_menu_starts_nothing(three, bootmenu):
    before = three.all()
    with bootmenu() as menu:
        menu.move_to("Beta")
        menu.press(CTRL_C)
        assert menu.reply().status == 0
    assert three.all() == before


# what starts


@pytest.fixture
def two(options, probes):
    """Options 0x10 and 0x11, each of which starts another probe."""
    options.write(0x10, "One")
    options.write(0x11, "Two", "EFI\\TEST\\TWO.EFI", data=probes[TWO].options)
    options.order(0x10, 0x11)
    return options


@pytest.mark.parametrize(("title", "number", "file"), [("One", 0x10, ONE), ("Two", 0x11, TWO)])
def test_the_chosen_option_starts_and_no_other(two, probes, bootmenu, title, number, file):
    with bootmenu() as menu:
        menu.choose(title)
        reply = menu.reply()
    (facts,) = parse_facts(reply.output.decode())
    assert facts.nonce == probes[file].nonce
    assert facts.boot_current == number
    assert facts.boot_next is None
    assert facts.boot_order == (0x10, 0x11)
    assert variables.read(two.uboot, "BootNext") is None


@pytest.mark.slow
def test_the_countdown_starts_the_first_option(two, probes, bootmenu):
    with bootmenu(1) as menu:
        menu.highlights("One")
        reply = menu.reply()
    (facts,) = parse_facts(reply.output.decode())
    assert (facts.nonce, facts.boot_current) == (probes[ONE].nonce, 0x10)


@pytest.mark.slow
def test_the_environments_default_may_be_an_option(two, probes, bootmenu):
    two.uboot.check("setenv bootmenu_default 1")
    with bootmenu(1) as menu:
        menu.highlights("Two")
        reply = menu.reply()
    (facts,) = parse_facts(reply.output.decode())
    assert (facts.nonce, facts.boot_current) == (probes[TWO].nonce, 0x11)


@pytest.mark.slow
def test_leaving_the_menu_starts_no_probe(two, bootmenu):
    with bootmenu() as menu:
        menu.move_to("Two")
        menu.press(CTRL_C)
        reply = menu.reply()
    assert parse_facts(reply.output.decode()) == ()
