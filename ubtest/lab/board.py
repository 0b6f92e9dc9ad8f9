"""The board as tests see it: its labgrid drivers, and what its file says about the firmware."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from labgrid import Target

from ubtest.errors import CaseError, DeafConsole
from ubtest.formats.fw_image import ImageIdentity
from ubtest.formats.guid import Guid
from ubtest.lab.linux import LinuxShellDriver
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.lab.machine import MachineProtocol
from ubtest.lab.strategy import BoardStrategy, State
from ubtest.lab.uboot import UBootConsoleDriver

OLD_CONTENT = b"old firmware, "


@dataclass(frozen=True)
class FirmwareImage:
    """One updatable image of the firmware and its place in flash (`firmware-image` of the file).

    :param image_type: UpdateImageTypeId that the firmware's FMP answers to.
    :param index: UpdateImageIndex, from 1.
    :param flash: number of the flash chip.
    :param offset: first byte in that chip.
    :param size: bytes.
    """

    image_type: Guid
    index: int
    flash: int
    offset: int
    size: int

    @property
    def old_content(self) -> bytes:
        """What a fresh board has in the image's place: neither 0x00 nor 0xff."""
        return (OLD_CONTENT * (self.size // len(OLD_CONTENT) + 1))[: self.size]

    @property
    def region(self) -> slice:
        """Where the image is in the content of its flash chip."""
        return slice(self.offset, self.offset + self.size)


@dataclass(frozen=True)
class Storage:
    """How a disk reaches the board (`storage` of the file).

    :param bus: where the machine attaches it.
    :param partition: its first partition as U-Boot writes it, "virtio 0:1".
    :param find: the command that makes U-Boot look for it; ``{path}`` is the image on the host.
    """

    bus: str
    partition: str
    find: str


class Board:
    """One labgrid target with ubtest's drivers on it.

    :raises CaseError: the board file lacks a driver or an option; names it.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.strategy: BoardStrategy = target.get_driver("BoardStrategy", activate=False)
        self.uboot: UBootConsoleDriver = target.get_driver("UBootConsoleDriver", activate=False)
        self.machine: MachineProtocol = target.get_driver(MachineProtocol)
        self._medium = ""  # of a kernel, by the name that the machine gave it
        self._folder: TemporaryDirectory[str] | None = None

    @property
    def features(self) -> frozenset[str]:
        """What the board file promises."""
        config = self.target.env.config
        own = config.get_targets()[self.target.name].get("features", [])
        return frozenset(config.get_features()) | frozenset(own)

    @property
    def updatable(self) -> FirmwareImage | None:
        """:attr:`image`, or None for a board whose file names no image that capsules update."""
        return self.image if "firmware-image" in self._options else None

    @property
    def image(self) -> FirmwareImage:
        """The image that capsules for this board update (option `firmware-image`)."""
        return self._image("firmware-image", self._option("firmware-image"))

    @property
    def other_images(self) -> dict[str, FirmwareImage]:
        """The others that some build of the firmware has, by name (option `other-images`)."""
        try:
            listed = self._option("other-images")
        except CaseError:
            return {}
        return {said.get("fw-name", ""): self._image("other-images", said) for said in listed}

    @property
    def storage(self) -> Storage:
        """How a disk reaches this board (option `storage`)."""
        said = self._option("storage")
        try:
            return Storage(said["bus"], said["partition"], said["find"])
        except KeyError as error:
            raise self._wrong("storage", error) from error

    @property
    def load_address(self) -> int:
        """Where bytes can be put into memory (option `load-address`)."""
        return int(str(self._option("load-address")), 0)

    def _image(self, option: str, said: dict[str, Any]) -> FirmwareImage:
        namespace = self.machine.bundle.config.get("EFI_CAPSULE_NAMESPACE_GUID")
        try:
            return FirmwareImage(
                ImageIdentity.read(said).guid(Guid.of(namespace) if namespace else None),
                *(int(str(said[key]), 0) for key in ("index", "flash", "offset", "size")),
            )
        except (KeyError, ValueError) as error:
            raise self._wrong(option, error) from error

    @property
    def _options(self) -> dict[str, Any]:
        config = self.target.env.config
        options: dict[str, Any] = config.get_targets()[self.target.name].get("options", {})
        return options

    def _option(self, name: str) -> Any:
        try:
            return self.target.env.config.get_target_option(self.target.name, name)
        except KeyError as error:
            raise self._wrong(name, error) from error

    def _wrong(self, option: str, error: Exception) -> CaseError:
        return CaseError(
            f"the board file's option `{option}` is missing or wrong: {error}",
            next_step=f"declare it under targets/{self.target.name}/options; "
            "boards/qemu-arm64.yaml shows how",
        )

    def boot(self) -> UBootConsoleDriver:
        """Power on and wait for U-Boot's prompt."""
        self.strategy.transition("uboot")
        return self.uboot

    def insert(self, boot: LinuxBoot) -> None:
        """Attach a kernel's medium to the board, which is off; :meth:`linux` does it where it
        starts from off.

        For a test that has something to do at U-Boot's prompt before the kernel starts.
        """
        self.off()
        if self._medium and self.machine.has(self._medium):
            self.machine.detach(self._medium)
        self._folder = TemporaryDirectory(prefix="ubtest-linux-")
        disk = boot.medium(Path(self._folder.name) / "linux.img")
        self._medium = self.machine.attach(disk, self.storage.bus)

    def linux(self, boot: LinuxBoot) -> LinuxShellDriver:
        """Start a kernel and wait for its shell: from U-Boot's prompt when the board is there,
        else from power-on.

        :raises CaseError: nothing in the board file says how Linux is started on it, or the board
            is at its prompt without :meth:`insert`.
        :raises KernelCrash: the kernel died.
        :raises FirmwareError: it was not started, or gave no shell in time.
        :raises DeafConsole: its shell hears nothing; from power-on, that is tried twice.
        """
        arguments = str(self._option("linux")["arguments"])
        storage, place = self.storage, self.load_address
        whole = self.strategy.status is not State.uboot
        if whole:
            self.insert(boot)
        elif not self._medium or not self.machine.has(self._medium):
            raise CaseError(
                "the board is on and has no medium with a kernel",
                next_step="board.insert(boot) before board.boot()",
            )
        self.strategy.start_linux = lambda uboot: boot.start(
            uboot, storage.partition, storage.find, arguments, place
        )
        try:
            self.strategy.transition("linux")
        except DeafConsole as error:
            if not whole:
                raise  # what was done at U-Boot's prompt before cannot be done again
            self.uboot.transcript.note(f"{error.message}: once more from power-on")
            self.strategy.transition("linux")
        return self.shell

    @property
    def shell(self) -> LinuxShellDriver:
        """The shell of the Linux that runs; see :meth:`linux`."""
        shell: LinuxShellDriver = self.target.get_driver("LinuxShellDriver", activate=False)
        return shell

    def off(self) -> None:
        self.strategy.transition("off")
