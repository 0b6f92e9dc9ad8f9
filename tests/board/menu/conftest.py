"""What the menu tests share: menus whose screens are kept as pictures."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from menu_names import THREE
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from ubtest.console.picture import beside, picture
from ubtest.console.screen import Page
from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.loadopt import LoadOption
from ubtest.lab.board import Board
from ubtest.media.disk import build_disk, esp
from ubtest.plugin.run_state import FAILED, board_run
from ubtest.probe.build import probe
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot_plan import machine_of
from ubtest.uefi.bootmenu import BootMenu, define, marking, undefine
from ubtest.uefi.eficonfig import EfiConfig
from ubtest.uefi.menu import Menu

KEPT: pytest.StashKey = pytest.StashKey()  # the screen that a test compares with


class Options:
    """The boot options of a board with the menus' disk, as its variables hold them."""

    def __init__(self, board, disk):
        self.board, self.uboot, self._disk = board, board.uboot, disk
        partition = esp()
        sectors = partition.last_lba - partition.first_lba + 1
        self._drive = HardDrive(1, partition.first_lba, sectors, partition.unique_guid)

    def find_disk(self):
        self.uboot.check(self.board.storage.find.format(path=self._disk), timeout=30)

    @property
    def volume(self):
        return self.board.storage.partition

    def file(self, name):
        """How a path to a file of the disk ends; the firmware may name the disk before it."""
        return hard_drive(self._drive) + file_path(name) + END

    def write(self, number, description, name="EFI\\TEST\\ONE.EFI", **rest):
        option = LoadOption(description, self.file(name), **rest)
        variables.write(self.uboot, f"Boot{number:04X}", option.pack())

    def order(self, *numbers):
        variables.write(self.uboot, "BootOrder", struct.pack(f"<{len(numbers)}H", *numbers))

    def all(self):
        """Every variable: (name, GUID) -> (attributes, value). Without the one that holds the
        store of all others (lib/efi_loader/efi_var_file.c)."""
        found = variables.parse(self.uboot.check("printenv -e"))
        return {
            (each.name, each.guid): (each.attributes, each.data)
            for each in found
            if each.name != "VarToFile"
        }

    def put_back(self, wanted):
        """Let the variables be what :meth:`all` gave once; whether they are."""
        now = self.all()
        for name, guid in now.keys() - wanted.keys():
            variables.delete(self.uboot, name, guid)
        for (name, guid), (attributes, data) in wanted.items():
            if now.get((name, guid)) != (attributes, data):
                variables.write(self.uboot, name, data, guid)
        return now == wanted or self.all() == wanted

    def read(self, number):
        found = variables.read(self.uboot, f"Boot{number:04X}")
        return found and LoadOption.parse(found.data)

    def read_order(self):
        found = variables.read(self.uboot, "BootOrder")
        return list(struct.unpack(f"<{len(found.data) // 2}H", found.data)) if found else []


@pytest.fixture(scope="session")
def probes():
    """Orders of the boot probes that are ONE.EFI and TWO.EFI of the disk."""
    return {name: Orders() for name in ("EFI/TEST/ONE.EFI", "EFI/TEST/TWO.EFI")}


@pytest.fixture(scope="session")
def menu_disk(firmware, probes, tmp_path_factory):
    """Where the disk of these boards is, and how it is made."""
    path = tmp_path_factory.mktemp("menus") / "esp.img"
    arch = machine_of(firmware).name
    files = {name: probe(arch, orders) for name, orders in probes.items()}
    return path, lambda: build_disk(path, {**files, "initrd.img": b"initrd"})


@pytest.fixture(scope="session")
def made():
    """The board that the tests with options share now, and its variables before the first one."""
    return {}


@pytest.fixture
def options(request, prompt, menu_disk, made, eficonfig):
    """A board with a disk, on which the firmware has made the boot options that it makes itself.

    For files whose `prompt_disk` is the menus' disk. The variables are put back after each test;
    where they cannot be the same again, the next one gets a fresh board.
    """
    run = board_run(request.config)
    options = Options(prompt, menu_disk[0])
    if made.get("board") is not run.untouched:
        options.find_disk()
        with eficonfig(prompt) as menu:
            menu.leave()
        made.update(board=run.untouched, variables=options.all())
    yield options
    if request.node.stash.get(FAILED, False) or not options.put_back(made["variables"]):
        run.untouched = None
        run.board.strategy.lost()
        run.board.off()


@pytest.fixture
def three(options):
    """Options 0x10, 0x11 and 0x12, alone in BootOrder and in this order."""
    for number, description in enumerate(("Alpha", "Beta", "Gamma"), 0x10):
        options.write(number, description)
    options.order(0x10, 0x11, 0x12)
    return options


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
    if kept := request.node.stash.get(KEPT, None):
        for result in kept.executions.values():
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
def three_entries(prompt: Board, bootmenu) -> None:
    """Three entries in the environment, each of which leaves its mark when it runs."""
    define(prompt.uboot, *marking(THREE))


@pytest.fixture
def bootmenu(request, menus: list[Menu]) -> Iterator[Callable[..., BootMenu]]:
    """Opens the boot menu of a board that is at its prompt; entries in the environment go with
    the test."""
    board = request.getfixturevalue("board" if "board" in request.fixturenames else "prompt")

    def open_menu(delay: int | None = -1, **size: int) -> BootMenu:
        menus.append(BootMenu(board.uboot, delay, **size))
        return menus[-1]

    yield open_menu
    if "prompt" in request.fixturenames and not request.node.stash.get(FAILED, False):
        undefine(board.uboot)  # else the board is not used again


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
    mine = request.node.stash[KEPT] = snapshot.use_extension(texts)
    kept = Path(texts.get_location(test_location=mine.test_location, index=0))
    if not kept.exists() and not request.config.option.update_snapshots:
        pytest.skip(f"no screen was kept for U-Boot {firmware.version}: add --snapshot-update")
    return mine
