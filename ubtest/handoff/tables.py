"""The firmware's tables as the kernel took them: which ones, SMBIOS, ESRT."""

import re
from collections.abc import Mapping

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.formats.smbios import EntryPoint30, parse_entry_point, parse_structures, system
from ubtest.handoff.finding import Finding
from ubtest.handoff.survey import Survey

ALL_TAKEN = "the kernel takes each table that it knows, and no other"
MUST_BE = "a table that the firmware's configuration promises is there"
SMBIOS = "the SMBIOS entry point and its structures follow DSP0134"
ESRT = "the ESRT of the kernel is the one that U-Boot shows"

# GUID of a configuration table -> its name in the kernel's `efi:` line
# (drivers/firmware/efi/efi.c, common_tables; arch_tables of arm64: none)
KNOWN = {
    Guid.of("8868e871-e4f1-11d3-bc22-0080c73c8881"): "ACPI 2.0",
    Guid.of("eb9d2d30-2d88-11d3-9a16-0090273fc14d"): "ACPI",
    Guid.of("eb9d2d31-2d88-11d3-9a16-0090273fc14d"): "SMBIOS",
    Guid.of("f2fd1544-9794-4a2c-992e-e5bbcf20e394"): "SMBIOS 3.0",
    Guid.of("b122a263-3661-4f68-9929-78f8b0d62180"): "ESRT",
    Guid.of("dcfa911d-26eb-469f-a220-38b7dc461220"): "MEMATTR",
    Guid.of("eb66918a-7eef-402a-842e-931d21c38ae9"): "RTPROP",
    Guid.of("b7799cb0-eca2-4943-9667-1fae07b747fa"): "TPMEventLog",
    Guid.of("ddbae312-d36e-453f-b8c5-8bea15d5a8b4"): "TPMFinalLog",
}
# Those that the kernel's own EFI stub makes: for its reservations always, the others where there
# was something to put in (drivers/firmware/efi/libstub)
STUB_ALWAYS = frozenset({"MEMRESERVE"})
STUB_MAY = frozenset({"INITRD", "RNG", "TPMEventLog", "TPMFinalLog"})
# What a configuration symbol promises
PROMISED = {
    "EFI_ESRT": ("ESRT",),
    "GENERATE_SMBIOS_TABLE": ("SMBIOS", "SMBIOS 3.0"),
    "EFI_LOADER": ("RTPROP",),
}
NO_UEFI = "efi: UEFI not found."

_LINE = re.compile(r"efi: ((?:[A-Za-z][\w .]*=0x[0-9a-f]+ ?)+)$", re.MULTILINE)
_ENTRY = re.compile(r"([A-Za-z][\w .]*?)=0x([0-9a-f]+)")
_GUID = re.compile(
    r"(?:^|  )(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?= )", re.MULTILINE
)
_ADDRESS = re.compile(r"^([0-9a-f]{16})  ([0-9a-f-]{36})", re.MULTILINE)
# How cmd/efidebug.c, do_efi_capsule_esrt, spells what the kernel shows as numbers
_TYPES = {"unknown": 0, "system FW": 1, "device FW": 2, "UEFI driver": 3}
_STATUSES = (
    "success",
    "unsuccessful",
    "insufficient resources",
    "incorrect version",
    "invalid format",
    "auth error",
    "power event (AC)",
    "power event (batt)",
    "unsatisfied dependencies",
)
_ESRT_ENTRY = re.compile(r"^\[entry \d+\]=+\n(?P<fields>(?:ESRT: [^\n]*\n?)+)", re.MULTILINE)
_SYSTEM = re.compile(
    r"^System Information\n\tManufacturer: (.*)\n\tProduct Name: (.*)$", re.MULTILINE
)
_ESRT_HOME = "sys/firmware/efi/esrt/entries/"


def taken(log: str) -> dict[str, int]:
    """The tables that the kernel names in its log, with their addresses; empty without UEFI."""
    found: dict[str, int] = {}
    for line in _LINE.findall(log):
        found |= {name: int(address, 16) for name, address in _ENTRY.findall(line)}
    return found


def installed(text: str) -> dict[Guid, int | None]:
    """What ``efidebug tables`` printed: address of each table, where it says so (since 2023.07)."""
    places = {Guid.of(guid): int(address, 16) for address, guid in _ADDRESS.findall(text)}
    guids = [Guid.of(row["guid"]) for row in _GUID.finditer(text)]
    return {guid: places.get(guid) for guid in guids}


def of_tables(before: str, log: str) -> list[Finding]:
    """Whether the kernel has the tables that U-Boot had.

    :param before: what ``efidebug tables`` printed.
    :param log: the kernel's.
    """
    held = {KNOWN[guid]: place for guid, place in installed(before).items() if guid in KNOWN}
    now = taken(log)
    if not now:
        return [Finding(ALL_TAKEN, "the kernel names no table: it was booted without UEFI")]
    found = [
        Finding(ALL_TAKEN, f"{name} is not taken")
        for name in sorted((held.keys() | STUB_ALWAYS) - now.keys())
    ]
    extra = now.keys() - held.keys() - STUB_ALWAYS - STUB_MAY
    found += [Finding(ALL_TAKEN, f"{name} comes from nowhere") for name in sorted(extra)]
    return found + [
        Finding(ALL_TAKEN, f"{name}: at {place:#x} at the prompt, taken from {now[name]:#x}")
        for name, place in held.items()
        if place is not None and name in now and now[name] != place
    ]


def of_promises(enabled: Mapping[str, bool], log: str) -> list[Finding]:
    """Whether each table is there that the firmware was built to have.

    :param enabled: symbol -> whether it is on, for those of :data:`PROMISED`.
    """
    now = taken(log)
    return [
        Finding(MUST_BE, f"{' or '.join(names)} is missing, CONFIG_{symbol} is on")
        for symbol, names in PROMISED.items()
        if enabled.get(symbol) and not now.keys() & set(names)
    ]


def of_smbios(before: str, survey: Survey) -> list[Finding]:
    """Whether the kernel's copy of the SMBIOS tables is whole, and of the board that U-Boot says.

    :param before: what ``smbios`` printed; empty where U-Boot has no such command.
    """
    home = "sys/firmware/dmi/tables/"
    entry, table = (survey.files.get(home + name) for name in ("smbios_entry_point", "DMI"))
    if entry is None or table is None:
        return [Finding(SMBIOS, f"/{home} has no tables")]
    try:
        point = parse_entry_point(entry)
        structures = parse_structures(table)
        system(structures)
    except FormatError as error:
        return [Finding(SMBIOS, str(error))]
    found = [
        Finding(SMBIOS, f"{name} is {value!r} for U-Boot, {now!r} for the kernel")
        for name, value in _board(before).items()
        if (now := system(structures)[name]) != value
    ]
    if len(table) > point.table_size:
        found.append(Finding(SMBIOS, f"{len(table)} bytes, {point.table_size} promised"))
    if not isinstance(point, EntryPoint30) and point.structures != len(structures):
        found.append(Finding(SMBIOS, f"{len(structures)} structures, {point.structures} promised"))
    return found


def _board(said: str) -> dict[str, str]:
    """Manufacturer and product of ``smbios`` (cmd/smbios.c, smbios_print_type1)."""
    row = _SYSTEM.search(said.replace("\\t", "\t"))
    return {"Manufacturer": row[1], "Product Name": row[2]} if row else {}


def esrt_of_uboot(text: str) -> list[dict[str, str]]:
    """The entries of ``efidebug capsule esrt``, with the numbers and spelling of sysfs.

    :raises FormatError: a word that is not known.
    """
    found = []
    for entry in _ESRT_ENTRY.finditer(text):
        pairs = (
            line.removeprefix("ESRT: ").partition("=") for line in entry["fields"].splitlines()
        )
        fields = {name: value.strip() for name, _, value in pairs}
        try:
            fields["fw_type"] = str(_TYPES[fields["fw_type"]])
            fields["last_attempt_status"] = str(_STATUSES.index(fields["last_attempt_status"]))
        except (KeyError, ValueError) as error:
            raise FormatError(f"ESRT: cannot read {entry['fields']!r}") from error
        for name in ("fw_version", "lowest_supported_fw_version", "last_attempt_version"):
            fields[name] = str(int(fields[name]) & 0xFFFFFFFF)
        fields["fw_class"] = fields["fw_class"].lower()
        fields["capsule_flags"] = f"{int(fields['capsule_flags']) & 0xFFFFFFFF:#x}"
        found.append(fields)
    return found


def esrt_of_kernel(survey: Survey) -> list[dict[str, str]]:
    """The entries as the kernel shows them, in their order."""
    entries: dict[int, dict[str, str]] = {}
    for name in survey.files:
        if name.startswith(_ESRT_HOME):
            number, _, field = name.removeprefix(_ESRT_HOME).partition("/")
            value = survey.text(name).strip()
            entries.setdefault(int(number.removeprefix("entry")), {})[field] = value
    return [entries[number] for number in sorted(entries)]


def of_esrt(before: str, survey: Survey) -> list[Finding]:
    """Whether the kernel's ESRT says what U-Boot's does.

    :param before: what ``efidebug capsule esrt`` printed.
    """
    one, other = esrt_of_uboot(before), esrt_of_kernel(survey)
    if len(one) != len(other):
        return [Finding(ESRT, f"U-Boot has {len(one)} entries, the kernel {len(other)}")]
    return [
        Finding(ESRT, f"entry {index}: {name} is {old[name]}, the kernel has {new.get(name)}")
        for index, (old, new) in enumerate(zip(one, other, strict=True))
        for name in old
        if old[name] != new.get(name)
    ]
