"""Which runtime services the firmware says that it has, against those that answer."""

import re
from dataclasses import dataclass

from ubtest.formats.record import FormatError
from ubtest.formats.runtime_services import RuntimeProperties
from ubtest.handoff.finding import Finding
from ubtest.handoff.survey import Survey
from ubtest.handoff.target_side import PLATFORM, RT_PROPERTIES

FLAGS = "EFI_RT_PROPERTIES_TABLE says which services there are"
ALIKE = "a service answers exactly when its flag is set"
NEEDED = frozenset({"GetVariable", "GetNextVariableName", "SetVirtualAddressMap", "ConvertPointer"})
VARIABLES = "sys/firmware/efi/efivars/"

_MOUNT = re.compile(r" /sys/firmware/efi/efivars (?P<how>\S+) .*- efivarfs \S+ (?P<options>\S+)$")


@dataclass(frozen=True)
class Services:
    """What one survey shows of the runtime services.

    :param said: those with a flag; None when the table is not there or cannot be read.
    :param variables: efivarfs lists variables and reads them.
    :param writable: the kernel mounted it for writing, which it does when the flag is set.
    :param clock: the kernel made a clock of GetTime (rtc-efi).
    """

    said: frozenset[str] | None
    variables: bool
    writable: bool
    clock: bool


def services(survey: Survey) -> Services:
    """What the target shows.

    :raises FormatError: the table in memory is none.
    """
    raw = survey.text(RT_PROPERTIES).strip()
    said = None
    if raw:
        table = RuntimeProperties.parse(int(raw, 16).to_bytes(8, "little"))
        table.check()
        said = table.services
    mounts = [row for line in survey.lines("mounts") if (row := _MOUNT.search(line))]
    options = {word for row in mounts for word in (row["how"] + "," + row["options"]).split(",")}
    return Services(
        said,
        any(name.startswith(VARIABLES) and len(survey.files[name]) > 4 for name in survey.files),
        bool(mounts) and "ro" not in options,
        "rtc-efi" in survey.text(PLATFORM),
    )


def findings(survey: Survey) -> list[Finding]:
    """Where flags and answers differ.

    What changes something cannot be told from files, so tests call ResetSystem and UpdateCapsule,
    and write variables: a mount for writing is only the kernel's belief in the flag.
    """
    try:
        found = services(survey)
    except FormatError as error:
        return [Finding(FLAGS, str(error))]
    if found.said is None:
        return [Finding(FLAGS, "there is no such table, or the kernel does not let it be read")]
    wrong = [Finding(FLAGS, f"{name} has no flag") for name in sorted(NEEDED - found.said)]
    answers = (
        ("GetVariable", found.variables, "efivarfs shows variables"),
        ("GetNextVariableName", found.variables, "efivarfs lists variables"),
        ("SetVariable", found.writable, "efivarfs is mounted for writing"),
        ("GetTime", found.clock, "the kernel made a clock of it"),
    )
    return wrong + [
        Finding(ALIKE, f"{name}: the flag is {said}, {what}: {answered}")
        for name, answered, what in answers
        if (said := name in found.said) != answered
    ]
