"""How the menu tests call entries of the boot menu."""

from ubtest.console.screen import Page
from ubtest.uefi.menu import LAST_TITLES, entries

THREE = ("First", "Second", "Third")


def last(page: Page) -> str:
    """The entry behind all others, which leaves the menu; its name depends on the release."""
    assert entries(page)[-1] in LAST_TITLES
    return entries(page)[-1]
