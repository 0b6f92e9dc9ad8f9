"""BootOrder changed in menus, and lists that are longer than the screen."""

import pytest
from boot_changes import changed

from ubtest.uefi.eficonfig import DELETE, ORDER, SELECT_OPTION
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, MINUS, OTHER_ROWS, PLUS, SPACE, entries

pytestmark = pytest.mark.needs("CMD_EFICONFIG", "CMD_NVEDIT_EFI")


@pytest.fixture(scope="session")
def prompt_disk(menu_disk):
    return menu_disk[1]


@pytest.mark.parametrize(
    ("title", "key", "places", "order"),
    [
        ("Gamma", PLUS, 1, [0x10, 0x12, 0x11]),
        pytest.param("Gamma", PLUS, 2, [0x12, 0x10, 0x11], marks=pytest.mark.slow),
        pytest.param("Alpha", MINUS, 1, [0x11, 0x10, 0x12], marks=pytest.mark.slow),
        pytest.param("Alpha", MINUS, 2, [0x11, 0x12, 0x10], marks=pytest.mark.slow),
    ],
    ids=["up", "up-twice", "down", "down-twice"],
)
def test_the_order_is_what_the_screen_showed(three, prompt, eficonfig, title, key, places, order):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(ORDER, "** Change Boot Order **")
        menu.shift(f"[*]  {title}", key, places)
        menu.choose("Save")
        menu.leave()
    assert changed(before, three.all()) == {"BootOrder"}
    assert three.read_order() == order


@pytest.mark.slow
def test_an_option_can_be_left_out_of_the_order(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(ORDER, "** Change Boot Order **")
        menu.move_to("[*]  Beta")
        menu.press(SPACE)
        menu.highlights("[ ]  Beta")
        menu.choose("Save")
        menu.leave()
    assert changed(before, three.all()) == {"BootOrder"}
    assert three.read_order() == [0x10, 0x12]


@pytest.mark.slow
def test_an_option_can_be_taken_into_the_order(three, prompt, eficonfig):
    three.order(0x10)
    with eficonfig(prompt) as menu:
        menu.open(ORDER, "** Change Boot Order **")
        menu.move_to("[ ]  Gamma")
        menu.press(SPACE)
        menu.highlights("[*]  Gamma")
        menu.choose("Save")
        menu.leave()
    assert three.read_order() == [0x10, 0x12]


@pytest.mark.slow
def test_an_order_that_is_left_changes_nothing(three, prompt, eficonfig):
    before = three.all()
    with eficonfig(prompt) as menu:
        menu.open(ORDER, "** Change Boot Order **")
        menu.shift("[*]  Gamma", PLUS, 2)
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, three.all()) == set()


# many options


@pytest.mark.slow
@pytest.mark.known_bug("eficonfig-ignores-size")
def test_more_options_than_lines(options, prompt, eficonfig):
    for number in range(20):
        options.write(0x20 + number, f"Option {number}")
    options.order(*range(0x20, 0x34))
    before = options.all()
    with eficonfig(prompt) as menu:
        menu.open(DELETE, SELECT_OPTION)
        for number in range(1, 20):
            menu.press(DOWN)
            page = menu.highlights(f"Option {number}")
            assert len(entries(page)) == 24 - OTHER_ROWS
        menu.press(ENTER)
        menu.highlights("Option 0")
        menu.press(CTRL_C)
        menu.leave()
    assert changed(before, options.all()) == {"Boot0033", "BootOrder"}
