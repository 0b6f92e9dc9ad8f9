"""U-Boot's menus for boot options (cmd/eficonfig.c): add, edit, delete and reorder them."""

from functools import partial

from ubtest.console.screen import Page
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.uefi.menu import CTRL_C, ENTER, PLUS, Menu, entries

MAIN = "** UEFI Maintenance Menu **"
ADD, EDIT, ORDER, DELETE = (
    "Add Boot Option",
    "Edit Boot Option",
    "Change Boot Order",
    "Delete Boot Option",
)
TASKS = (ADD, EDIT, ORDER, DELETE)
SECURE_BOOT, KEYS = "Secure Boot Configuration", "** UEFI Secure Boot Key Configuration"
SELECT_OPTION = "** Select Boot Option **"
EMPTY_DESCRIPTION = "Boot Description is empty!"
NO_FILE = "File is not selected!"


class EfiConfig(Menu):
    """The menus that the command `eficonfig` draws."""

    def __init__(self, uboot: UBootConsoleDriver, *, rows: int = 24, columns: int = 80) -> None:
        super().__init__(uboot, "eficonfig", rows=rows, columns=columns)

    def open(self, task: str, title: str) -> Page:
        """Choose a task of the main menu and wait for its first screen."""
        self.shows(MAIN)
        self.choose(task)
        return self.shows(title)

    def type_into(self, field: str, text: str) -> Page:
        """Fill in a field of the option on the screen, which begins with `field`."""
        self.choose_field(field)
        self.ask()
        self.insist(text[0].encode(), text[0])
        self.press(*(char.encode() for char in text[1:]))
        self.shows(text)
        self.press(ENTER)
        return self.shows(f"{field}: {text}")

    def ask(self) -> Page:
        """Wait until the firmware asks for a text."""
        return self.shows("Press ENTER to complete")

    def pick_file(self, field: str, volume: str, *path: str) -> Page:
        """Choose the file of a field, folder by folder.

        :param volume: as U-Boot writes it, "virtio 0:1".
        :param path: folders with a backslash behind, then the file.
        """
        self.choose_field(field)
        self.shows("** Update File **")
        self.choose("Select File")
        self.shows("** Select Volume **")
        self.choose(volume)
        for name in path:
            self.expect(partial(_offers, name), f"`{name}` to select")
            self.choose(name)
        return self.shows(f"{field}: {volume}/{''.join(path)}")

    def choose_field(self, field: str) -> None:
        """Press Enter on the line that begins with `field`."""
        page = self.expect(
            lambda page: any(line.startswith(field) for line in entries(page)), f"the field {field}"
        )
        self.choose(next(line for line in entries(page) if line.startswith(field)))

    def shift(self, title: str, key: bytes, places: int = 1) -> Page:
        """Move an option of the boot order up (``+``) or down (``-``)."""
        self.move_to(title)
        before = entries(self.page).index(title)
        after = before - places if key == PLUS else before + places
        self.press(*[key] * places)
        return self.expect(
            lambda page: entries(page).index(title) == after and page.highlighted == title,
            f"`{title}` as entry {after}",
        )

    def leave(self) -> int | None:
        """Leave the main menu; the command's status."""
        self.shows(MAIN)
        self.press(CTRL_C)
        return self.reply().status


def _offers(title: str, page: Page) -> bool:
    return title in entries(page)
