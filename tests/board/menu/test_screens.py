"""The menus' main screens, line by line as they were kept for each release."""

import pytest
from menu_names import THREE

from ubtest.uefi.bootmenu import define, marking
from ubtest.uefi.eficonfig import ADD, MAIN
from ubtest.uefi.menu import CTRL_C, DOWN, UP, countdown

needs_bootmenu = pytest.mark.needs("CMD_BOOTMENU")
needs_eficonfig = pytest.mark.needs("CMD_EFICONFIG")

BOOTMENUS = {
    "three": THREE,
    "twenty": tuple(f"Entry number {number}" for number in range(1, 21)),
    "scripts": ("Größe ✓", "Система", "起動 メニュー", "שלום"),
}


@needs_bootmenu
@pytest.mark.parametrize("titles", BOOTMENUS.values(), ids=BOOTMENUS)
def test_bootmenu(prompt, bootmenu, kept_screen, titles):
    define(prompt.uboot, *marking(titles))
    with bootmenu() as menu:
        assert menu.highlights(titles[0]).text == kept_screen
        menu.press(CTRL_C)
        menu.reply()


@needs_bootmenu
def test_bootmenu_countdown(prompt, bootmenu, kept_screen):
    define(prompt.uboot, *marking(THREE))
    with bootmenu(9) as menu:
        page = menu.expect(lambda page: countdown(page) == 9, "a countdown from 9")
        assert page.text == kept_screen
        menu.press(CTRL_C)
        menu.reply()


@needs_bootmenu
def test_bootmenu_after_keys(prompt, bootmenu, kept_screen):
    define(prompt.uboot, *marking(THREE))
    with bootmenu(9) as menu:
        menu.highlights("First")
        menu.press(DOWN, DOWN, UP)
        assert menu.highlights("Second").text == kept_screen
        menu.press(CTRL_C)
        menu.reply()


@needs_eficonfig
def test_eficonfig_main(prompt, eficonfig, kept_screen):
    with eficonfig(prompt) as menu:
        assert menu.shows(MAIN).text == kept_screen
        menu.leave()


@needs_eficonfig
def test_eficonfig_add(prompt, eficonfig, kept_screen):
    with eficonfig(prompt) as menu:
        assert menu.open(ADD, "** Add Boot Option **").text == kept_screen
        menu.press(CTRL_C)
        menu.leave()
