"""A disk image with something wrong, the board that takes it or not, and preflight beside it."""

import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import ESP_TYPE, GLOBAL_VARIABLE, Guid
from ubtest.formats.varstore import Variable
from ubtest.lab.open_board import open_board
from ubtest.media.disk import Disk, build_disk, esp
from ubtest.plugin.run_state import board_run
from ubtest.preflight.ask import ask
from ubtest.preflight.finding import Report
from ubtest.project import Project
from ubtest.run import run
from ubtest.uefi import capsules
from ubtest.uefi.bootmgr import boot_entry, boot_order
from ubtest.uefi.on_disk import OnDiskUpdate, Outcome, esp_files
from ubtest.uefi.variables import PERSISTENT

IMAGE = b"new firmware! " * 600  # as in `conftest`
BASIC_DATA = Guid.of("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
OTHER_TYPE = Guid.of("11111111-2222-4333-8444-555555555555")
NAME = "u.cap"
REQUEST = "setenv -e -nv -bs -rt OsIndications =0x0000000000000004"
ROUNDS = 4  # how often a fix may uncover the next thing
NOT_TOLD = {"flash"}  # the sandbox has no `dfu` command


def named(report: Report) -> list[str]:
    """The checks that found a problem."""
    return [each.check for each in report.problems]


def request(value: int = capsules.FILE_CAPSULE_DELIVERY, size: int = 8) -> Variable:
    data = value.to_bytes(size, "little")
    return Variable("OsIndications", GLOBAL_VARIABLE, PERSISTENT, 0, data)


GOOD = {"entry": boot_entry(1, esp()), "order": boot_order(1), "request": request()}


def without(*names: str, **others: Variable) -> tuple[Variable, ...]:
    """The variables of a good disk but for some of them."""
    return tuple({name: v for name, v in {**GOOD, **others}.items() if name not in names}.values())


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong.

    :param check: the name of the one finding.
    :param says: what is in its text.
    :param files: makes what is in \\EFI\\UpdateCapsule, of a good capsule and of its payload.
    :param spoil: what is done to the image when it is made.
    :param kind: the partition's type.
    """

    check: str
    says: str
    stored: tuple[Variable, ...] = tuple(GOOD.values())
    files: Callable[[Capsule, FmpPayload, "Desk"], dict[str, bytes]] = lambda good, payload, desk: {
        NAME: good.pack()
    }
    spoil: Callable[[Path], None] = lambda image: None
    kind: Guid = ESP_TYPE


class Desk:
    """An image, the board of the test that really takes it, and preflight beside it."""

    def __init__(self, request, board, keyring, folder: Path) -> None:
        self.board_run = board_run(request.config)
        self.board = board
        self.keyring = keyring
        self.folder = folder
        self.image = folder / "esp.img"
        self.attached: str | None = None
        self.prepare: Callable[[object], None] = lambda board: None
        for name in ("IMAGE.bin", "SMALLER.bin"):  # as the printed commands call it
            (folder / name).write_bytes(IMAGE)
        project = Project.find(self.board_run.env_file)
        (folder / "boards").symlink_to(project.boards.resolve())
        (folder / "keys").symlink_to(project.keys.resolve())

    def make(self, wrong: Wrong, good: Capsule, payload: FmpPayload) -> None:
        (self.folder / "good.cap").write_bytes(good.pack())
        content = esp_files(wrong.files(good, payload, self), variables=wrong.stored)
        build_disk(self.image, content, kind=wrong.kind)
        wrong.spoil(self.image)

    def preflight(self) -> Report:
        """What preflight says of the image; it changes nothing of it."""
        self.power_off()
        before = Disk(self.image).sha256()
        capsule = self.folder / "good.cap"
        with open_board(self.board_run.env_file, self.board_run.firmware) as other:
            self.prepare(other)
            report = ask(
                other,
                env_file=self.board_run.env_file,
                disk=self.image,
                capsule=(str(capsule), capsule.read_bytes()),
            )
        assert Disk(self.image).sha256() == before
        return report

    def update(self) -> Outcome:
        """What the firmware makes of the image at boot."""
        return self._on().at_boot()

    def start(self) -> None:
        """The same, and nothing is read from a disk that may be broken."""
        update = self._on()
        self.board.uboot.reset()
        update.find_disk()
        capsules.start_efi(self.board.uboot)

    def mend(self, commands: Iterable[str]) -> None:
        """Type what preflight said, at the board's prompt or on this host."""
        for command in commands:
            if command.startswith("=> "):
                self._on()
                if command.removeprefix("=> ") == "reset":
                    self.board.uboot.reset()
                else:
                    self.board.uboot.check(command.removeprefix("=> "), timeout=30)
            else:
                self.power_off()
                self._run(shlex.split(command.removeprefix("$ ")))

    def _run(self, words: list[str]) -> None:
        program = Path(sys.executable).parent / words[0] if words[0] == "ubtest" else words[0]
        run([program, *words[1:]], cwd=self.folder, env={"MTOOLS_SKIP_CHECK": "1"})

    def _on(self) -> OnDiskUpdate:
        update = OnDiskUpdate(self.board, self.folder)
        update.disk = Disk(self.image)
        if self.attached is None:
            self.attached = self.board.machine.attach(update.disk, self.board.storage.bus)
            self.prepare(self.board)
            self.board.boot()
            update.find_disk()
        return update

    def power_off(self) -> None:
        if self.attached is not None:
            self.board.off()
            self.board.machine.detach(self.attached)
            self.attached = None
