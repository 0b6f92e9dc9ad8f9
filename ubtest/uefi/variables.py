"""UEFI variables of a live firmware, read and written at U-Boot's prompt."""

import re

from ubtest.errors import FirmwareError
from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.varstore import (
    BOOTSERVICE_ACCESS,
    NON_VOLATILE,
    RUNTIME_ACCESS,
    TIME_BASED_AUTHENTICATED,
    Variable,
)
from ubtest.lab.uboot import UBootConsoleDriver

READ_ONLY = 0x80000000  # U-Boot's own bit: include/efi_variable.h, EFI_VARIABLE_READ_ONLY
PERSISTENT = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS
PIECES, PIECE = "ubtest_value", 160  # hex digits: with them a line is below any SYS_CBSIZE

_ATTRIBUTES = {  # how cmd/nvedit_efi.c prints them
    "NV": NON_VOLATILE,
    "BS": BOOTSERVICE_ACCESS,
    "RT": RUNTIME_ACCESS,
    "AT": TIME_BASED_AUTHENTICATED,
    "RO": READ_ONLY,
}
_HEAD = re.compile(
    r"^(?P<name>[^\n]+):\n\s+(?P<guid>[0-9a-f-]{36}) [^\n]*\n"
    r"(?:\s+\d{4}-\d\d-\d\d[^\n]*\n)?"  # the time of an authenticated variable
    r"\s+(?P<attributes>[A-Z|]+), DataSize = 0x(?P<size>[0-9a-f]+)$",
    re.MULTILINE,
)
_HEX = re.compile(r"^\s+[0-9a-f]{8}: ((?:[0-9a-f]{2} )+)", re.MULTILINE)


def parse(text: str) -> tuple[Variable, ...]:
    """The variables in what ``printenv -e`` printed (cmd/nvedit_efi.c).

    :raises FirmwareError: a value is shorter than its DataSize.
    """
    heads = list(_HEAD.finditer(text))
    found = []
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends[: len(heads)], strict=True):
        dump = text[head.end() : end]
        data = b"".join(bytes.fromhex(line) for line in _HEX.findall(dump))
        if len(data) != int(head["size"], 16):
            raise FirmwareError(f"printenv -e shows {head['name']} with {len(data)} bytes: {dump}")
        attributes = sum(_ATTRIBUTES[word] for word in head["attributes"].split("|"))
        found.append(Variable(head["name"], Guid.of(head["guid"]), attributes, 0, data))
    return tuple(found)


def read(uboot: UBootConsoleDriver, name: str, guid: Guid = GLOBAL_VARIABLE) -> Variable | None:
    """One variable with attributes and value; None when the firmware says that it has none.

    :raises FirmwareError: the firmware answers neither.
    """
    reply = uboot.command(f"printenv -e -guid {guid} {name}")
    for variable in parse(reply.text):
        if (variable.name, variable.guid) == (name, guid):
            return variable
    if "not defined" in reply.text:
        return None
    raise FirmwareError(f"cannot read the variable {name}: {reply.text}", tail=reply.text)


def read_any(
    uboot: UBootConsoleDriver, first: str, *others: str
) -> dict[tuple[str, Guid], Variable]:
    """Those of several names that exist, whatever their GUID, by one short command.

    :raises FirmwareError: the firmware refuses it.
    """
    # Of one name alone that does not exist, it would say so and fail
    names = (first, *others) if others else (first, first)
    found = parse(uboot.check(f"printenv -e {' '.join(names)}"))
    return {(variable.name, variable.guid): variable for variable in found}


def write(uboot: UBootConsoleDriver, name: str, data: bytes, guid: Guid = GLOBAL_VARIABLE) -> None:
    """Set a non-volatile variable that is visible at runtime, as an operating system would.

    :raises FirmwareError: the firmware refuses it.
    """
    digits = data.hex()
    command = f"setenv -e -guid {guid} -nv -bs -rt {name} =H"
    if len(digits) <= PIECE:
        uboot.check(f"{command}{digits}")
        return
    uboot.check(f"setenv {PIECES} {digits[:PIECE]}")
    for at in range(PIECE, len(digits), PIECE):
        uboot.check(f"setenv {PIECES} ${{{PIECES}}}{digits[at : at + PIECE]}")
    uboot.check(f"{command}${{{PIECES}}}")
    uboot.check(f"setenv {PIECES}")


def delete(uboot: UBootConsoleDriver, name: str, guid: Guid = GLOBAL_VARIABLE) -> None:
    """Delete a variable.

    :raises FirmwareError: the firmware refuses it.
    """
    uboot.check(f"setenv -e -guid {guid} {name}")
