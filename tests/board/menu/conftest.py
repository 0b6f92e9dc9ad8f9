"""What the menu tests share: menus whose screens are kept as pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from ubtest.console.picture import beside, picture
from ubtest.console.screen import Page
from ubtest.lab.board import Board
from ubtest.plugin.run_state import FAILED
from ubtest.uefi.bootmenu import BootMenu, undefine
from ubtest.uefi.eficonfig import EfiConfig
from ubtest.uefi.menu import Menu


@pytest.fixture
def menus(request, results) -> Iterator[list[Menu]]:
    """The menus that a test opened. Each screen that it waited for is kept as `screen-NN.svg`, and
    after a failure `failed.svg` shows what came beside what was expected."""
    opened: list[Menu] = []
    yield opened
    seen = [one for menu in opened for one in menu.seen]
    for number, (page, title) in enumerate(seen, 1):
        results.keep(f"screen-{number:02}.svg", picture(page, title))
    if opened and request.node.stash.get(FAILED, False):
        came = opened[-1].page, "came"
        results.keep("failed.svg", beside(came, (expected(request, opened[-1]), "expected")))


def expected(request, menu: Menu) -> Page:
    """The kept screen that differs, else the words that the last wait was given."""
    if "kept_screen" in request.fixturenames:
        for result in request.getfixturevalue("snapshot").executions.values():
            if not result.success and result.recalled_data:
                return Page.of(result.recalled_data)
    return Page.of(menu.wanted)


@pytest.fixture
def eficonfig(menus: list[Menu]) -> Callable[..., EfiConfig]:
    """Opens the menus for boot options of a board that is at its prompt."""

    def open_menu(board: Board, **size: int) -> EfiConfig:
        menus.append(EfiConfig(board.uboot, **size))
        return menus[-1]

    return open_menu


@pytest.fixture
def bootmenu(request, prompt: Board, menus: list[Menu]) -> Iterator[Callable[..., BootMenu]]:
    """Opens the boot menu of a board; its entries in the environment go with the test."""
    uboot = prompt.uboot

    def open_menu(delay: int | None = -1, **size: int) -> BootMenu:
        menus.append(BootMenu(uboot, delay, **size))
        return menus[-1]

    yield open_menu
    if not request.node.stash.get(FAILED, False):  # else the board is not used again
        undefine(uboot)


class ScreenText(SingleFileSnapshotExtension):
    """One text file a screen, to be read in a review."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT
    release = ""

    @classmethod
    def dirname(cls, *, test_location) -> str:
        return str(Path(test_location.filepath).parent / "screens" / cls.release)

    def serialize(self, data, **options) -> str:
        return f"{data}\n"


@pytest.fixture
def kept_screen(request, snapshot, firmware):
    """The screen as it was kept for this release; `--snapshot-update` keeps it.

    Releases draw differently, so one that none was kept for has nothing to be compared with.
    """
    texts = type("ScreenText", (ScreenText,), {"release": firmware.version})
    mine = snapshot.use_extension(texts)
    kept = Path(texts.get_location(test_location=mine.test_location, index=0))
    if not kept.exists() and not request.config.option.update_snapshots:
        pytest.skip(f"no screen was kept for U-Boot {firmware.version}: add --snapshot-update")
    return mine
