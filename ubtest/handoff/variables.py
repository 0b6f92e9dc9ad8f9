"""UEFI variables as efivarfs shows them, against those that U-Boot held."""

import re
from collections.abc import Iterable

from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import RUNTIME_ACCESS, Variable
from ubtest.handoff.finding import Finding
from ubtest.handoff.services import VARIABLES
from ubtest.handoff.survey import Survey

ALIKE = "the kernel sees each variable with runtime access as it was at the prompt"
CURRENT = "BootCurrent is the option that was started, the first of BootOrder"
OWN_BIT = 0x80000000  # U-Boot's for read-only, never shown at runtime (include/efi_variable.h)
# Made or used up by the boot itself: UEFI 2.10 section 3.3
BY_BOOT = frozenset({"BootCurrent", "BootNext"})

_FILE = re.compile(r"(?P<name>.+)-(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def variables(survey: Survey) -> dict[str, Variable]:
    """All variables of efivarfs by name; those of our GUIDs have names of their own.

    :raises FormatError: a file that is none of a variable.
    """
    found = {}
    for path, content in survey.files.items():
        if path.startswith(VARIABLES):
            row = _FILE.fullmatch(path.removeprefix(VARIABLES))
            if row is None or len(content) < 4:
                raise FormatError(f"efivarfs: {path} with {len(content)} bytes is no variable")
            attributes = int.from_bytes(content[:4], "little")
            guid = Guid.of(row["guid"])
            found[row["name"]] = Variable(row["name"], guid, attributes, 0, content[4:])
    return found


def findings(before: Iterable[Variable], now: dict[str, Variable]) -> list[Finding]:
    """Where the kernel's variables are not those of the prompt.

    :param before: what U-Boot held.
    """
    held = {each.name: each for each in before if each.attributes & RUNTIME_ACCESS}
    found = []
    for name in sorted((held.keys() | now.keys()) - BY_BOOT):
        one, other = (_shown(each.get(name)) for each in (held, now))
        if one != other:
            found.append(Finding(ALIKE, f"{name}: {one} at the prompt, {other} in efivarfs"))
    return found


def _shown(variable: Variable | None) -> str:
    if variable is None:
        return "not there"
    attributes = variable.attributes & ~OWN_BIT
    return f"{variable.guid} {attributes:#x} {variable.data.hex() or '(empty)'}"


def of_boot(now: dict[str, Variable]) -> list[Finding]:
    """Whether the boot variables tell what was booted."""
    try:
        option = booted(now)
    except FormatError as error:
        return [Finding(CURRENT, str(error))]
    order = now.get("BootOrder")
    if order is None or order.data[:2] != now["BootCurrent"].data:
        said = order.data.hex() if order else "not there"
        return [Finding(CURRENT, f"{option.description!r} is current, BootOrder is {said}")]
    return [Finding(CURRENT, "BootNext is still there")] if "BootNext" in now else []


def booted(now: dict[str, Variable]) -> LoadOption:
    """The option that BootCurrent names.

    :raises FormatError: there is no BootCurrent or no such option, or it is broken.
    """
    current = now.get("BootCurrent")
    if current is None or current.guid != GLOBAL_VARIABLE or len(current.data) != 2:
        raise FormatError(f"BootCurrent is {_shown(current)}")
    name = f"Boot{int.from_bytes(current.data, 'little'):04X}"
    if name not in now:
        raise FormatError(f"BootCurrent names {name}, which is not there")
    return LoadOption.parse(now[name].data)
