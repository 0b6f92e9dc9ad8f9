"""The firmware: what it is built with, whom it trusts, and where it writes to."""

import re
from collections.abc import Iterable, Sequence

from ubtest.formats.acceptance import Item
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable
from ubtest.preflight import commands
from ubtest.preflight.facts import CapsuleFile, Facts, Unread
from ubtest.preflight.finding import Answer, note, ok, problem, unknown
from ubtest.preflight.judgement import files_of, first_item, rebuilt, searched, wanted
from ubtest.uefi.capsules import FILE_CAPSULE_DELIVERY
from ubtest.uefi.dfu import Alternate

_STARTS_EFI = re.compile(r"\b(bootefi|bootflow|bootmenu|eficonfig|efidebug|distro_bootcmd)\b")
_ALTERNATE_RULE = (
    "image N is written to alternate N - 1 of dfu_alt_info, which the board sets itself before an "
    "update (efi_firmware.c, efi_firmware_raw_set_image; set_dfu_alt_info)"
)


def features(facts: Facts) -> Answer:
    """What the firmware must be built with."""
    missing = [] if facts.config.enabled("EFI_CAPSULE_ON_DISK") else ["EFI_CAPSULE_ON_DISK"]
    if not any(map(facts.config.enabled, ("EFI_CAPSULE_FIRMWARE_RAW", "EFI_CAPSULE_FIRMWARE_FIT"))):
        missing.append("EFI_CAPSULE_FIRMWARE_RAW")
    if not missing:
        return ok("the firmware is built for capsules on disk")
    return problem(
        f"the firmware is built without {' and '.join(f'CONFIG_{name}' for name in missing)}",
        "nothing looks at the disk then, or nothing takes the image (efi_setup.c, efi_capsule.c, "
        "efi_load_capsule_drivers)",
        f"$ scripts/config {' '.join(f'-e {name}' for name in missing)} && make olddefconfig",
    )


def start(facts: Facts) -> Answer:
    """Whether a boot comes to the EFI subsystem at all."""
    if facts.config.enabled("EFI_CAPSULE_ON_DISK_EARLY"):
        return ok("U-Boot looks for capsules before its prompt")
    if isinstance(facts.bootcmd, Unread):
        return unknown(facts.bootcmd.why)
    if found := _STARTS_EFI.search(facts.bootcmd):
        return ok(f"bootcmd comes to the EFI subsystem by `{found[0]}`")
    return note(
        f"nothing in bootcmd starts the EFI subsystem: {facts.bootcmd}",
        "capsules are looked for when it starts, and not before (efi_setup.c, efi_init_obj_list); "
        "CONFIG_EFI_CAPSULE_ON_DISK_EARLY starts it at every boot",
        *commands.at_prompt("bootefi bootmgr"),
    )


def supported(facts: Facts) -> Answer:
    """OsIndicationsSupported is for operating systems; U-Boot does not look at it."""
    if isinstance(facts.live, Unread):
        return unknown(f"OsIndicationsSupported: {facts.live.why}")
    for variable in facts.live:
        if _offers(variable):
            return ok("the firmware says that it takes capsules from disk")
    return note(
        "OsIndicationsSupported does not offer capsules from disk",
        "fwupd and other systems do not try then (UEFI 2.10 section 8.5.4; efi_setup.c, "
        "efi_init_os_indications)",
        "$ scripts/config -e EFI_CAPSULE_ON_DISK && make olddefconfig",
    )


def _offers(variable: Variable) -> bool:
    bits = int.from_bytes(variable.data[:8], "little")
    return variable.name == "OsIndicationsSupported" and bool(bits & FILE_CAPSULE_DELIVERY)


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


def room(facts: Facts) -> Answer:
    """`dfu_alt_info`, by which U-Boot finds the flash."""
    if facts.config.enabled("EFI_CAPSULE_FIRMWARE_FIT"):
        return unknown("a FIT names its own places in dfu_alt_info, and it is not looked into")
    if facts.config.enabled("FWU_MULTI_BANK_UPDATE"):
        return unknown("the FWU metadata decide on the place, and they are not read")
    if isinstance(facts.alternates, Unread):
        return unknown(f"where the image goes to: {facts.alternates.why}")
    answers = (_place(facts, facts.alternates, *each) for each in _writes(facts))
    return next((answer for answer in answers if answer), ok("dfu_alt_info has room for it"))


def _place(
    facts: Facts,
    alternates: Sequence[Alternate],
    each: CapsuleFile | None,
    index: int,
    size: int,
) -> Answer | None:
    """What is wrong with where one image goes to."""
    place = next((found for found in alternates if found.number == index - 1), None)
    if place is None:
        have = ", ".join(str(found.number) for found in alternates) or "none"
        return problem(
            f"dfu_alt_info has no alternate {index - 1}, for image {index}; it has {have}",
            f"DEVICE_ERROR; {_ALTERNATE_RULE}",
            *commands.at_prompt("dfu list", "printenv dfu_alt_info mtdparts"),
        )
    if each is None or place.size is None or size <= place.size:
        return None
    better = rebuilt(facts, each, "SMALLER.bin")
    return problem(
        f"the image has {size} bytes, alternate {place.number} ({place.name}) {place.size}",
        f"DEVICE_ERROR, and the flash may be half written; {_ALTERNATE_RULE}",
        *commands.mend_capsule(facts, searched(facts), each, better),
    )


def _writes(facts: Facts) -> Iterable[tuple[CapsuleFile | None, int, int]]:
    """What is written: of which file, to which image, how many bytes."""
    files = files_of(facts)
    if not files and not isinstance(facts.image, Unread):
        yield None, facts.image[1], 0
    for each in files:
        item = first_item(each)
        if item and wanted(facts, item) in (None, (item.header.image_type, item.header.index)):
            yield each, item.header.index, _image_size(item)


def _image_size(item: Item) -> int:
    """Bytes that go into the flash."""
    try:
        return item.end - item.signature[1] - item.version[1]
    except FormatError:
        return 0
