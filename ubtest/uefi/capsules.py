"""Capsule updates of a live firmware: deliver on disk, apply, and read what became of them."""

import struct
from dataclasses import dataclass

from ubtest.errors import FirmwareError
from ubtest.formats.capsule import CapsuleResult
from ubtest.formats.esrt import Resource, parse_esrt
from ubtest.formats.fmp import FmpState
from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE, Guid
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable
from ubtest.lab.board import Board
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.uefi import variables

DIRECTORY = "EFI/UpdateCapsule"  # UEFI 2.10 section 8.5.5
BEHIND = 0x10000  # bytes
FILE_CAPSULE_DELIVERY = 0x04  # EFI_OS_INDICATIONS_FILE_CAPSULE_DELIVERY_SUPPORTED, section 8.5.4


@dataclass(frozen=True)
class Report:
    """What the firmware says about the last capsule (UEFI 2.10 section 8.5.6).

    :param name: the variable that CapsuleLast names, e.g. "Capsule0000".
    """

    name: str
    last: Variable
    variable: Variable
    result: CapsuleResult


def name_boot_device(uboot: UBootConsoleDriver, partition: str) -> None:
    """Make a disk the boot device: the firmware looks for capsules on that one only.

    :param partition: as U-Boot writes it, "virtio 0:1".
    """
    uboot.check(f"efidebug boot add -b 0001 ubtest {partition} /none.efi")
    uboot.check("efidebug boot order 0001")


def request_update(uboot: UBootConsoleDriver) -> None:
    """Ask for an update from disk at the next boot, as an operating system does."""
    variables.write(uboot, "OsIndications", struct.pack("<Q", FILE_CAPSULE_DELIVERY))


def requested() -> Variable:
    """The same request as a variable of a store."""
    data = struct.pack("<Q", FILE_CAPSULE_DELIVERY)
    return Variable("OsIndications", GLOBAL_VARIABLE, variables.PERSISTENT, 0, data)


def start_efi(uboot: UBootConsoleDriver, *, timeout: float = 60) -> bool:
    """Start the EFI subsystem, which looks for capsules by itself; True when it reset the board.

    :param timeout: seconds for the update and the boot after it.
    """
    return bool(uboot.command_or_reset("efidebug tables", timeout).reset)


def update_now(uboot: UBootConsoleDriver, *, timeout: float = 60) -> bool:
    """Apply what lies on the disk, by command; True when the firmware reset the board."""
    return bool(uboot.command_or_reset("efidebug capsule disk-update", timeout).reset)


def update_from_memory(board: Board, capsule: bytes, *, timeout: float = 60) -> bool:
    """Hand a capsule to UpdateCapsule() in memory; True when the firmware reports success.

    What follows the capsule in memory is zero: a size that lies leads into zeros, not into what
    the row before left there.
    """
    uboot, address = board.uboot, board.load_address
    if command := board.machine.put(capsule + bytes(BEHIND), address):
        uboot.check(command)
    reply = uboot.command(f"efidebug capsule update -v {address:x}", timeout)
    return bool(reply.status == 0)


def last_report(uboot: UBootConsoleDriver) -> Report | None:
    """CapsuleLast and the result that it names; None when no capsule was ever processed.

    :raises FirmwareError: CapsuleLast names a variable that does not exist or is not a result.
    """
    return report_and_request(uboot)[0]


def report_and_request(uboot: UBootConsoleDriver) -> tuple[Report | None, bool]:
    """:func:`last_report`, and whether the firmware still holds the request for an update."""
    found = variables.read_any(uboot, "CapsuleLast", "OsIndications")
    last = found.get(("CapsuleLast", CAPSULE_REPORT))
    asked = found.get(("OsIndications", GLOBAL_VARIABLE))
    return (
        None if last is None else _report(uboot, last),
        asked is not None and bool(asked.data[0] & FILE_CAPSULE_DELIVERY),
    )


def _report(uboot: UBootConsoleDriver, last: Variable) -> Report:
    name = last.data.decode("utf-16-le", errors="backslashreplace")
    variable = variables.read_any(uboot, name).get((name, CAPSULE_REPORT))
    if variable is None:
        raise FirmwareError(f"CapsuleLast names {name!r}, and there is no such variable")
    try:
        return Report(name, last, variable, CapsuleResult.parse(variable.data))
    except ValueError as error:
        raise FirmwareError(f"{name} is not a capsule result: {error}") from error


def resources(uboot: UBootConsoleDriver) -> tuple[Resource, ...]:
    """The images that the firmware lists in its ESRT.

    :raises FirmwareError: what it prints is no table.
    """
    try:
        return parse_esrt(uboot.check("efidebug capsule esrt"))
    except FormatError as error:
        raise FirmwareError(str(error)) from error


def fmp_state(uboot: UBootConsoleDriver, image_type: Guid, index: int) -> FmpState | None:
    """What the firmware remembers of an image; None when it was never updated.

    :raises FirmwareError: the variable is not a state.
    """
    variable = variables.read(uboot, f"FmpState{index:04X}", image_type)
    if variable is None:
        return None
    if len(variable.data) != FmpState.size():
        size = FmpState.size()
        raise FirmwareError(f"{variable.name} has {len(variable.data)} bytes, must have {size}")
    return FmpState.parse(variable.data)
