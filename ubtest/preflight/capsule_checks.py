"""The capsule: is it where the firmware looks, and does this firmware take it?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ubtest.crypto import verdict as offline
from ubtest.crypto.verdict import Verdict, judge
from ubtest.formats.acceptance import Item, OuterHeaders, Target
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.formats.status import status_name
from ubtest.plugin.known_bugs import known_bug
from ubtest.preflight import commands
from ubtest.preflight.facts import CapsuleFile, Facts, Unread, Volume
from ubtest.preflight.finding import Answer, Severity, note, ok, problem, unknown
from ubtest.preflight.request_checks import taken, target
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


def searched(facts: Facts) -> Volume | None:
    """The partition whose capsules count: the boot device, or the one that should be it."""
    if not facts.systems:
        return None
    there = taken(facts)
    return there if there and there.files else target(facts)


def placed(facts: Facts) -> Answer:
    volume = searched(facts)
    if volume is None:
        return unknown("there is no EFI system partition")
    if volume.root is None:
        return unknown(f"the file system of {volume.partition.name} is not read")
    where = f"{FOLDER} of {volume.partition.name}"
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
    return _by_rule(facts, HEADER_RULES, "the headers are right")


def image(facts: Facts) -> Answer:
    """GUID and index against the ESRT and the board file."""
    found = _by_rule(facts, IMAGE_RULES, "the firmware has an image of this GUID and index")
    if found.severity is not Severity.OK or not isinstance(facts.esrt, Unread):
        return found
    return unknown(f"the ESRT: {facts.esrt.why}")


def key(facts: Facts) -> Answer:
    if not facts.config.enabled("EFI_CAPSULE_AUTHENTICATE"):
        return ok("none is needed: this firmware does not authenticate capsules")
    if isinstance(facts.trusted, Unread):
        return unknown(facts.trusted.why)
    if facts.trusted:
        names = (each.subject.rfc4514_string() for each in facts.trusted)
        return ok(f"the firmware trusts {', '.join(names)}")
    return problem(
        "the firmware has no public key: /signature/capsule-key is not in its device tree",
        "SECURITY_VIOLATION for every capsule (efi_capsule.c, efi_get_public_key_data); from "
        "2024.10 on a build puts CONFIG_EFI_CAPSULE_CRT_FILE there, but not into a tree that "
        "comes from elsewhere (QEMU, the stage before U-Boot)",
        "$ cert-to-efi-sig-list CERT.pem CERT.esl",
        "$ fdtput -p -t bx u-boot.dtb /signature capsule-key $(od -An -v -tx1 CERT.esl)",
    )


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
    for each in _files(facts):
        item = _first_item(each)
        now = running.get(item.header.image_type, 0) if item else 0
        if item and item.version[0] < now:
            return note(
                f"{each.name} has version {item.version[0]}, {now} was installed last",
                "U-Boot takes an older one that is not below the lowest supported version "
                "(efi_firmware.c, efi_firmware_verify_image)",
            )
    return None


def room(facts: Facts) -> Answer:
    """`dfu_alt_info`, by which U-Boot finds the flash."""
    if facts.config.enabled("EFI_CAPSULE_FIRMWARE_FIT"):
        return unknown("a FIT names its own places in dfu_alt_info, and it is not looked into")
    if isinstance(facts.alternates, Unread):
        return unknown(f"where the image goes to: {facts.alternates.why}")
    if _by_rule(facts, IMAGE_RULES, "").severity is Severity.PROBLEM:
        return unknown("the capsule is for another image")
    places = {each.number: each for each in facts.alternates}
    why = (
        "image N is written to alternate N - 1 of dfu_alt_info, which the board sets itself "
        "before an update (efi_firmware.c, efi_firmware_raw_set_image; set_dfu_alt_info)"
    )
    for each, index, size in _writes(facts):
        place = places.get(index - 1)
        if place is None:
            have = ", ".join(map(str, places)) or "none"
            return problem(
                f"dfu_alt_info has no alternate {index - 1}, for image {index}; it has {have}",
                f"DEVICE_ERROR; {why}",
                *commands.at_prompt("dfu list", "printenv dfu_alt_info mtdparts"),
            )
        if each and place.size is not None and size > place.size:
            better = _build(facts, each, "SMALLER.bin")
            return problem(
                f"the image has {size} bytes, alternate {place.number} ({place.name}) {place.size}",
                f"DEVICE_ERROR, and the flash may be half written; {why}",
                *commands.mend_capsule(facts, searched(facts), each, better),
            )
    return ok("dfu_alt_info has room for it")


def _writes(facts: Facts) -> Iterable[tuple[CapsuleFile | None, int, int]]:
    """What is written: of which file, to which image, how many bytes."""
    files = _files(facts)
    if not files and not isinstance(facts.image, Unread):
        yield None, facts.image[1], 0
    for each in files:
        if item := _first_item(each):
            yield each, item.header.index, _image_size(item)


def _image_size(item: Item) -> int:
    """Bytes that go into the flash."""
    try:
        return item.end - item.signature[1] - item.version[1]
    except FormatError:
        return 0


@dataclass(frozen=True)
class _Judged:
    file: CapsuleFile
    verdict: Verdict | Unread


def _files(facts: Facts) -> Sequence[CapsuleFile]:
    """The capsules that count: those that lie on the disk, and the user's."""
    volume = searched(facts)
    there = list(volume.files) if volume else []
    own = facts.capsule
    if own and not any(own.content == each.content for each in there):
        there.append(own)
    return there


def _first_item(each: CapsuleFile) -> Item | None:
    if isinstance(each.content, Unread):
        return None
    outer = OuterHeaders(each.content)
    try:
        item = Item(outer, outer.items.start, Target())
        return item if outer.items and item.header.version == 3 else None
    except FormatError:
        return None


def _judged(facts: Facts) -> Iterable[_Judged]:
    trusted = () if isinstance(facts.trusted, Unread) else facts.trusted
    for each in _files(facts):
        if isinstance(each.content, Unread):
            yield _Judged(each, each.content)
        else:
            yield _Judged(each, judge(each.content, trusted, _target(facts, each)))


def _target(facts: Facts, each: CapsuleFile) -> Target:
    """What the firmware is known to be, as far as it matters for this capsule."""
    item = _first_item(each)
    lowest = None
    if item and not isinstance(facts.lowest, Unread):
        lowest = facts.lowest.get((item.header.image_type, item.header.index), 0)
    if known_bug("no-versions").affects(facts.version):
        lowest = None
    return Target(_wanted(facts, item), lowest)


def _wanted(facts: Facts, item: Item | None) -> tuple[Guid, int] | None:
    """The image that a capsule should be for; None: that is not known.

    The ESRT has no index, so that of an image which the board file does not name is not asked.
    """
    said = None if isinstance(facts.image, Unread) else facts.image
    if isinstance(facts.esrt, Unread):
        return said
    types = [each.image_type for each in facts.esrt]
    if item and item.header.image_type in types:
        return said if said and said[0] == item.header.image_type else None
    if said and said[0] in types:
        return said
    return (types[0], 1) if types else None


def _by_rule(facts: Facts, mine: Sequence[str], good: str) -> Answer:
    """What the offline verdict says about the rules of one check."""
    files = list(_judged(facts))
    if not files:
        return ok("there is no capsule to look at")
    for each in files:
        found = each.verdict
        if isinstance(found, Unread):
            return unknown(f"{each.file.name}: {found.why}")
        if found.answer is offline.Answer.UNKNOWN:
            return unknown(f"{each.file.name}: {found.why}")
        if found.answer is not offline.Answer.REFUSED:
            continue
        if found.rule in mine:
            return _refused(facts, each.file, found)
        if _stage(found.rule) < STAGES.index(tuple(mine)):
            return unknown(f"{each.file.name}: `{found.rule}` comes before")
    return ok(good)


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
    return _build(facts, each, "IMAGE.bin") if rule in (*IMAGE_RULES, *VERSION_RULES) else None


def _build(facts: Facts, each: CapsuleFile, image: str) -> list[str]:
    """A capsule that fits this firmware, of an image that the user has."""
    item = _first_item(each)
    assert item is not None  # the headers were good enough for this question
    wanted = _wanted(facts, item) or (item.header.image_type, item.header.index)
    options = ["--guid", str(wanted[0]), "--index", str(wanted[1])]
    lowest = 0 if isinstance(facts.lowest, Unread) else facts.lowest.get(wanted, 0)
    version = max(lowest, item.version[0])
    options += ["--fw-version", str(version)] if version else []
    return ["build", image, "-o", "NEW.cap", *options, *commands.signer(facts)]
