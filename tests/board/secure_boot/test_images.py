"""Which images Secure Boot starts: those that db knows and dbx does not."""

import pytest
from secure_boot_needs import SECURE_BOOT

from ubtest.cases.secure_boot_images import ROWS, Row
from ubtest.crypto.authenticode import signed_image
from ubtest.formats.authvar import KEY_DATABASE
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.varstore import Variable, pack_variables
from ubtest.media.build import build_image
from ubtest.media.spec import esp_image
from ubtest.probe.build import probe
from ubtest.probe.orders import Orders
from ubtest.uefi.boot import Boot, boot
from ubtest.uefi.on_disk import VARIABLE_FILE
from ubtest.uefi.secure_boot import (
    SETUP_MODE,
    USER_MODE,
    certificates,
    state,
    value,
)

pytestmark = SECURE_BOOT

FILE = "image.efi"

SHORT = ("signed by db", "not signed", "signed by db, changed after it")


class Shelf:
    """A board with a disk that holds one image."""

    def __init__(self, board, tmp_path):
        self.board, self._path = board, tmp_path / "esp.img"

    def place(self, image: bytes, **files: bytes) -> None:
        disk = build_image(esp_image({FILE: image, **files}), self._path)
        self.board.machine.attach(disk, self.board.storage.bus)
        self.board.boot()
        self.find()

    def find(self) -> None:
        self.board.uboot.check(self.board.storage.find.format(path=self._path))

    def start(self):
        where = f"{self.board.storage.partition} {self.board.load_address:x}"
        return boot(self.board, f"load {where} {FILE} && bootefi {self.board.load_address:x}")


@pytest.fixture
def shelf(board, tmp_path):
    return Shelf(board, tmp_path)


def judge(tried: Boot, row: Row, orders: Orders) -> None:
    """The image started or not, as the row says."""
    assert tried.nonces() == ([orders.nonce] if row.starts else [])
    if not row.starts:
        assert tried.status != 0
    if tried.facts:
        assert (tried.facts.secure_boot, tried.facts.setup_mode) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("row", [pytest.param(row, id=row.what) for row in ROWS])
def test_image(row: Row, prompt, enrolled, keyring):
    """In memory, on a board that the rows share."""
    orders = Orders()
    image = probe(orders=orders)
    for name, content in ("db", row.db(keyring, image)), ("dbx", row.dbx(keyring, image)):
        if value(prompt, name) != (content or None):
            enrolled.put(prompt, name, content)
    assert state(prompt) == USER_MODE

    tried = boot(prompt, in_memory(prompt, row.image(keyring, image)))

    judge(tried, row, orders)


def in_memory(board, image: bytes) -> str:
    """The command that starts an image that is put into memory."""
    at = board.load_address
    if command := board.machine.put(image, at):
        board.uboot.check(command)
    return f"bootefi {at:x}:{len(image):x}"


@pytest.mark.parametrize("row", [pytest.param(r, id=r.what) for r in ROWS if r.what in SHORT])
def test_image_on_a_disk(row: Row, board, shelf, platform, keyring):
    orders = Orders()
    image = probe(orders=orders)
    shelf.place(row.image(keyring, image))
    platform.enrol(board, row.db(keyring, image), row.dbx(keyring, image))
    assert state(board) == USER_MODE

    judge(shelf.start(), row, orders)


@pytest.mark.slow
def test_without_a_platform_key_every_image_starts(board, shelf):
    orders = Orders()
    shelf.place(probe(orders=orders))
    assert state(board) == SETUP_MODE

    tried = shelf.start()

    assert tried.nonces() == [orders.nonce]
    assert (tried.facts.secure_boot, tried.facts.setup_mode) == (0, 1)


@pytest.mark.slow
def test_keys_on_the_disk_are_not_believed(board, shelf, keyring):
    """Whoever can write the ESP would own the platform: U-Boot takes authenticated variables from
    its file only where they are built in (lib/efi_loader/efi_var_file.c)."""
    stored = Variable("PK", GLOBAL_VARIABLE, KEY_DATABASE, 0, certificates(keyring["untrusted"]))
    orders = Orders()
    shelf.place(probe(orders=orders), **{VARIABLE_FILE: pack_variables([stored])})

    assert value(board, "PK") is None
    assert state(board) == SETUP_MODE


@pytest.mark.slow
def test_keys_are_gone_after_a_reset(board, shelf, platform, keyring):
    """The other side of it: what was enrolled at the prompt does not come back from the disk."""
    shelf.place(signed_image(keyring["db"], probe()))
    platform.enrol(board)
    assert state(board) == USER_MODE

    board.uboot.reset()
    shelf.find()

    assert [value(board, name) for name in ("PK", "KEK", "db")] == [None, None, None]
    assert state(board) == SETUP_MODE
