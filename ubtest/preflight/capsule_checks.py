"""The capsule: is it where the firmware looks, and does this firmware take it?"""

from collections.abc import Sequence

from ubtest.crypto import verdict as offline
from ubtest.crypto.verdict import Verdict
from ubtest.formats.status import status_name
from ubtest.plugin.known_bugs import known_bug
from ubtest.preflight import commands
from ubtest.preflight.facts import CapsuleFile, Facts, Unread, Volume
from ubtest.preflight.finding import Answer, Severity, note, ok, problem, unknown
from ubtest.preflight.judgement import (
    Judged,
    files_of,
    first_item,
    judged,
    rebuilt,
    searched,
    wanted,
)
from ubtest.uefi.capsules import DIRECTORY

FOLDER = "\\" + DIRECTORY.replace("/", "\\")
# The rules of `formats.acceptance`, a check each, in the order in which U-Boot asks
HEADER_RULES = (
    "file is whole",
    "capsule type",
    "header size",
    "management header version",
    "item offset",
    "image header version",
)
IMAGE_RULES = ("image is known",)
SIGNATURE_RULES = ("signed at all", "signature size", "signature type", "sizes", "signature")
VERSION_RULES = ("lowest supported version",)
STAGES = (HEADER_RULES, IMAGE_RULES, SIGNATURE_RULES, VERSION_RULES)


def placed(facts: Facts) -> Answer:
    volume = searched(facts)
    if volume is None:
        return unknown("there is no EFI system partition")
    if volume.root is None:
        return unknown(f"the file system of {volume.partition.name} is not read")
    where = f"{FOLDER} on {volume.partition.name}"
    if volume.files:
        names = ", ".join(f"{each.name} ({each.size} bytes)" for each in volume.files)
        return ok(f"{where} has {names}")
    file = facts.capsule.name if facts.capsule else None
    below = (
        f"; the folder {volume.capsules.folders[0]} in it is passed over"
        if (volume.capsules and volume.capsules.folders)
        else ""
    )
    what = f"{where} is empty" if volume.capsules else f"there is no {where}"
    return problem(
        what + below + _elsewhere(facts, volume),
        "every file right in this folder is taken for a capsule, whatever its name, and nothing "
        "else (efi_capsule.c, efi_capsule_scan_dir; UEFI 2.10 section 8.5.5)",
        *commands.put_capsule(facts, volume, file),
    )


def _elsewhere(facts: Facts, volume: Volume) -> str:
    others = [v.partition.name for v in facts.volumes if v.files and v != volume]
    return f"; {others[0]}, which is not searched, has capsules" if others else ""


def order(facts: Facts) -> Answer:
    volume = searched(facts)
    if volume is None or len(volume.files) < 2:
        return ok("there is not more than one")
    names = ", ".join(sorted(each.name for each in volume.files))
    bug = known_bug("file-order")
    if bug.affects(facts.version):
        return note(
            f"the order of {names} is one of chance",
            "this version compares where the names lie in memory (efi_capsule.c, "
            "efi_capsule_scan_dir); put what depends on the order into one capsule",
        )
    return note(f"all of them are applied, in the order of their names: {names}", "section 8.5.5")


def file(facts: Facts) -> Answer:
    """The rules of the headers."""
    for each in judged(facts):
        found = each.verdict
        if isinstance(found, Unread) or found.answer is not offline.Answer.ACCEPTED:
            continue
        if not found.payloads:
            return problem(
                f"{each.file.name} has no payload: U-Boot reports a success and writes nothing",
                "efi_capsule.c, efi_capsule_update_firmware: PayloadItemCount is 0",
                *commands.mend_capsule(facts, searched(facts), each.file, None),
            )
    return _by_rule(facts, HEADER_RULES, "the headers are right")


def image(facts: Facts) -> Answer:
    """GUID and index against the ESRT and the board file."""
    found = _by_rule(facts, IMAGE_RULES, "the firmware has an image of this GUID and index")
    if found.severity is not Severity.OK:
        return found
    if isinstance(facts.esrt, Unread):
        return unknown(f"the ESRT: {facts.esrt.why}")
    if any(wanted(facts, first_item(each)) is None for each in files_of(facts)):
        return unknown("the GUID is known, the index is not: no ESRT has it, nor the board file")
    return found


def signature(facts: Facts) -> Answer:
    if not facts.config.enabled("EFI_CAPSULE_AUTHENTICATE"):
        return ok("this firmware does not authenticate capsules")
    if isinstance(facts.trusted, Unread):
        return unknown(facts.trusted.why)
    if not facts.trusted:
        return unknown("the firmware has no key")
    return _by_rule(facts, SIGNATURE_RULES, "signed by a key of the firmware")


def version(facts: Facts) -> Answer:
    if known_bug("no-versions").affects(facts.version):
        return ok("this version of U-Boot does not look at it")
    if isinstance(facts.lowest, Unread):
        return unknown(facts.lowest.why)
    found = _by_rule(facts, VERSION_RULES, "not below the lowest supported one")
    return _downgrade(facts) or found if found.severity is Severity.OK else found


def _downgrade(facts: Facts) -> Answer | None:
    if isinstance(facts.esrt, Unread):
        return None
    running = {each.image_type: each.version for each in facts.esrt}
    for each in files_of(facts):
        item = first_item(each)
        now = running.get(item.header.image_type, 0) if item else 0
        if item and item.version[0] < now:
            return note(
                f"{each.name} has version {item.version[0]}, {now} was installed last",
                "U-Boot takes an older one that is not below the lowest supported version "
                "(efi_firmware.c, efi_firmware_verify_image)",
            )
    return None


def _by_rule(facts: Facts, mine: Sequence[str], good: str) -> Answer:
    """What the offline verdict says about the rules of one check."""
    answers = [_of_one(facts, each, mine) for each in judged(facts)]
    if not answers:
        return unknown("there is no capsule to look at")
    return next((answer for answer in answers if answer), ok(good))


def _of_one(facts: Facts, each: Judged, mine: Sequence[str]) -> Answer | None:
    """The same for one capsule; None: nothing is said against it."""
    name, found = each.file.name, each.verdict
    if isinstance(found, Unread) or found.answer is offline.Answer.UNKNOWN:
        return unknown(f"{name}: {found.why}")
    if found.answer is offline.Answer.ACCEPTED:
        return None
    if found.rule == "capsule type" and known_bug("outer-guid-on-disk").affects(facts.version):
        return unknown(f"{name}: {found.why}, which this version does not look at")
    if found.rule in mine:
        return _refused(facts, each.file, found)
    earlier = _stage(found.rule) < STAGES.index(tuple(mine))
    return unknown(f"{name}: `{found.rule}` comes before") if earlier else None


def _stage(rule: str) -> int:
    return next(at for at, rules in enumerate(STAGES) if rule in rules)


def _refused(facts: Facts, each: CapsuleFile, found: Verdict) -> Answer:
    status = f"answers {status_name(found.status)}" if found.status else "leaves no CapsuleXXXX"
    return problem(
        f"{each.name}: {found.why}",
        f"U-Boot {status} and deletes the file ({found.where}, rule `{found.rule}`)",
        *commands.mend_capsule(facts, searched(facts), each, _better(facts, each, found.rule)),
    )


def _better(facts: Facts, each: CapsuleFile, rule: str) -> list[str] | None:
    """What makes a capsule that this rule does not refuse; None: take the good file again."""
    if rule in SIGNATURE_RULES:
        return ["sign", "OLD.cap", "-o", "NEW.cap", *commands.signer(facts)]
    return rebuilt(facts, each, "IMAGE.bin") if rule in (*IMAGE_RULES, *VERSION_RULES) else None
