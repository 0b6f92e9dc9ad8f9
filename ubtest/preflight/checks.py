"""All checks, in the order in which the firmware comes to what they ask."""

from collections.abc import Callable

from ubtest.preflight import capsule_checks, disk_checks, request_checks
from ubtest.preflight.facts import Facts
from ubtest.preflight.finding import Answer, Finding, Report, ok, problem

Check = Callable[[Facts], Answer]


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


CHECKS: dict[str, Check] = {
    "features": features,
    "disk": disk_checks.disk,
    "partitions": disk_checks.partitions,
    "ESP": disk_checks.system_partition,
    "file system": disk_checks.file_system,
    "variable store": disk_checks.store,
    "request supported": request_checks.supported,
    "request": request_checks.request,
    "boot device": request_checks.boot_device,
    "capsule in place": capsule_checks.placed,
    "order": capsule_checks.order,
    "capsule file": capsule_checks.file,
    "image": capsule_checks.image,
    "key": capsule_checks.key,
    "signature": capsule_checks.signature,
    "version": capsule_checks.version,
    "flash": capsule_checks.room,
    "delete": disk_checks.deletes,
    "last result": request_checks.last_result,
}


def judge(facts: Facts) -> Report:
    """Every check's answer."""
    answers = ((name, check(facts)) for name, check in CHECKS.items())
    return Report(tuple(Finding(name, a.severity, a.what, a.why, a.fix) for name, a in answers))
