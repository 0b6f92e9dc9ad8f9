"""Whose fault it is.

UbtestError
├── FirmwareError      the firmware is wrong: the verdict is "failed"
│   ├── FirmwareCrash  it crashed or reset unasked; carries the register dump
│   └── KernelCrash    the kernel that it handed over to crashed; carries the kernel's dump
├── LabError           the board, QEMU or the way to it is wrong: "error"
│   └── DeafConsole    it printed a prompt and hears nothing that is typed
├── HostError          this machine lacks something: "error"
└── CaseError          the test or its input is wrong: "error"
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UbtestError(Exception):
    """A problem whose owner is known, with the step to take next.

    :param message: one sentence: what happened.
    :param next_step: what the reader can do about it, an imperative sentence.
    :param tail: the last console output, where there was a console.
    """

    owner = "ubtest"
    exit_code = 2

    def __init__(self, message: str, *, next_step: str = "", tail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.tail = tail

    def __str__(self) -> str:
        parts = [f"{self.owner}: {self.message}"]
        if self.next_step:
            parts.append(f"  -> {self.next_step}")
        if self.tail:
            parts.append("  last console output:")
            parts.extend(f"  | {line}" for line in self.tail.splitlines())
        return "\n".join(parts)


class FirmwareError(UbtestError):
    """The firmware under test did something that it must not do."""

    owner = "firmware"
    exit_code = 1


class FirmwareCrash(FirmwareError):
    """The firmware crashed, hung in an error handler or reset without being asked."""


class KernelCrash(FirmwareError):
    """The kernel crashed or the board reset, after the firmware had handed over.

    A kernel that is known to boot dies of what it was given: so it counts as the firmware's fault.
    """


class LabError(UbtestError):
    """The lab is at fault: QEMU, the serial line, power, storage or the board file."""

    owner = "lab"


class DeafConsole(LabError):
    """A shell's prompt came, and nothing that was typed there has any effect.

    Seen on QEMU's PL011 about once in a hundred boots, on a busy host.
    """


class HostError(UbtestError):
    """This machine is at fault: a missing tool, a full disk, a permission."""

    owner = "host"


class CaseError(UbtestError):
    """The test, its declaration or the user's input is at fault."""

    owner = "test"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever goes wrong while a file or folder is written is the host's fault, and says where.

    :raises HostError: no space, no permission, no such folder.
    """
    try:
        yield
    except OSError as error:
        raise HostError(
            f"cannot write {path}: {error.strerror}",
            next_step=f"look at space and permissions of {path.parent}",
        ) from error
