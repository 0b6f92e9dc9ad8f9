"""The request and the way to the disk: OsIndications, BootNext, BootOrder."""

import re

from ubtest.formats.guid import CAPSULE_REPORT, GLOBAL_VARIABLE
from ubtest.formats.status import SUCCESS, status_name
from ubtest.formats.varstore import NON_VOLATILE, Variable
from ubtest.preflight import commands
from ubtest.preflight.boot_device import Leads, Step, search, step_of
from ubtest.preflight.facts import Facts, Unread, Volume
from ubtest.preflight.finding import Answer, note, ok, problem, unknown
from ubtest.uefi.capsules import FILE_CAPSULE_DELIVERY

_OPTION = re.compile(r"Boot[0-9A-F]{4}")
_REQUEST_RULE = (
    "capsules on disk are applied when OsIndications asks for it only, and U-Boot takes the "
    "request back each time its EFI subsystem starts, also where it finds no capsule "
    "(efi_capsule.c, check_run_capsules; UEFI 2.10 section 8.5.4)"
)


def request(facts: Facts) -> Answer:
    if facts.config.enabled("EFI_IGNORE_OSINDICATIONS"):
        return ok("this firmware wants none (CONFIG_EFI_IGNORE_OSINDICATIONS)")
    variables = facts.variables
    if isinstance(variables, Unread):
        return unknown(variables.why)
    stored = variables.get("OsIndications")
    wrong = _wrong(facts, stored)
    if wrong or stored is None:
        anew = commands.at_prompt("setenv -e OsIndications") if _is_odd(stored) else ()
        return problem(wrong, _REQUEST_RULE, *anew, *commands.request(facts))
    return ok(f"OsIndications is {_bits(stored):#x}: it asks for the update")


def _wrong(facts: Facts, stored: Variable | None) -> str:
    """Why OsIndications is no request; empty when it is one."""
    if stored is None and _volatile(facts):
        return "OsIndications is set, but not as non-volatile (-nv), and so gone at the reset"
    if stored is None:
        return "nothing asks for the update: there is no OsIndications"
    if len(stored.data) != 8:
        return f"OsIndications has {len(stored.data)} bytes, must have 8"
    if not stored.attributes & NON_VOLATILE:
        return "OsIndications is not non-volatile (-nv), and so gone at the reset"
    if not _bits(stored) & FILE_CAPSULE_DELIVERY:
        return f"OsIndications is {_bits(stored):#x}: bit 2 (0x4), the request, is not set"
    return ""


def _is_odd(stored: Variable | None) -> bool:
    """It has to go before it can be set: attributes cannot be changed (section 8.2)."""
    return stored is not None and (len(stored.data) != 8 or not stored.attributes & NON_VOLATILE)


def boot_device(facts: Facts) -> Answer:
    if not facts.systems:
        return unknown("there is no EFI system partition to lead to")
    variables = facts.variables
    if isinstance(variables, Unread):
        return unknown(variables.why)
    steps = search(facts, variables)
    wanted, last = target(facts), steps[-1] if steps else None
    if last and last.leads is Leads.UNREAD:
        return unknown(f"{last.variable} leads {last.name}, {last.leads.value}")
    if last and last.leads is Leads.TAKEN and last.volume:
        if last.volume == wanted or last.volume.files:
            return ok(f"{last.variable}: {last.name} leads to {last.volume.partition.name}")
        return _elsewhere(facts, variables, last, wanted)
    said = "; ".join(f"{each.variable}: {each.name} leads {each.leads.value}" for each in steps)
    what = "there is no BootOrder" if "BootOrder" not in variables else "BootOrder is empty"
    return problem(
        f"no boot option leads to a system partition: {said or what}",
        "capsules are looked for on the boot device only, which is the first active option of "
        "BootNext and BootOrder on a system partition that is there (efi_capsule.c, "
        "find_boot_device; UEFI 2.10 section 8.5.5)",
        *commands.lead_to(facts, wanted, variables, _good(facts, variables, wanted)),
    )


def _elsewhere(facts: Facts, variables: dict[str, Variable], last: Step, wanted: Volume) -> Answer:
    there = last.volume.partition.name if last.volume else "elsewhere"
    what = f"{last.variable}: {last.name} leads to {there}; the capsules are on "
    why = (
        "the first option that leads to a system partition decides, and only that one is looked "
        "at (efi_capsule.c, find_boot_device)"
    )
    fix = commands.lead_to(facts, wanted, variables, _good(facts, variables, wanted))
    if last.variable == "BootNext":
        fix = commands.forget_boot_next(facts)
    return problem(what + wanted.partition.name, why, *fix)


def taken(facts: Facts) -> Volume | None:
    """The partition on which the firmware looks, where that is known."""
    variables = facts.variables
    steps = [] if isinstance(variables, Unread) else search(facts, variables)
    return steps[-1].volume if steps and steps[-1].leads is Leads.TAKEN else None


def target(facts: Facts) -> Volume:
    """The system partition with capsules; the one that the board file names, or the first, where
    none has."""
    named = [each for each in facts.systems if each.partition.name == facts.partition]
    with_files = [each for each in facts.systems if each.files]
    return (with_files or named or list(facts.systems))[0]


def _good(facts: Facts, variables: dict[str, Variable], wanted: Volume) -> list[int]:
    """The active options that lead to a partition."""
    numbers = sorted(int(name[4:], 16) for name in variables if _OPTION.fullmatch(name))
    steps = (step_of(facts, variables, "", number) for number in numbers)
    return [each.number for each in steps if each.leads is Leads.TAKEN and each.volume == wanted]


def last_result(facts: Facts) -> Answer:
    """What became of the capsule before."""
    last = facts.variable("CapsuleLast", CAPSULE_REPORT)
    name = last.data.decode("utf-16-le", "replace") if last else ""
    result = facts.variable(name, CAPSULE_REPORT) if name else None
    if isinstance(facts.stored, Unread):
        return unknown(facts.stored.why)
    if result is None:
        return ok("no result of an earlier capsule is kept")
    status = int.from_bytes(result.data[-8:], "little")
    if status == SUCCESS:
        return ok(f"{name}, the capsule before, was taken")
    return note(
        f"{name}, the capsule before, was refused with {status_name(status)}",
        "efi_capsule.c, set_capsule_result; `ubtest capsule verify` says which rules answer so",
    )


def _volatile(facts: Facts) -> bool:
    live = () if isinstance(facts.live, Unread) else facts.live
    return any(
        (each.name, each.guid) == ("OsIndications", GLOBAL_VARIABLE)
        and not each.attributes & NON_VOLATILE
        and _bits(each) & FILE_CAPSULE_DELIVERY
        for each in live
    )


def _bits(variable: Variable) -> int:
    return int.from_bytes(variable.data[:8], "little")
