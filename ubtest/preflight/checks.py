"""All checks, in the order in which the firmware comes to what they ask."""

from collections.abc import Callable

from ubtest.preflight import capsule_checks, disk_checks, firmware_checks, request_checks
from ubtest.preflight.facts import Facts
from ubtest.preflight.finding import Answer, Finding, Report

Check = Callable[[Facts], Answer]


CHECKS: dict[str, Check] = {
    "features": firmware_checks.features,
    "start": firmware_checks.start,
    "disk": disk_checks.disk,
    "partitions": disk_checks.partitions,
    "ESP": disk_checks.system_partition,
    "file system": disk_checks.file_system,
    "variable store": disk_checks.store,
    "request supported": firmware_checks.supported,
    "request": request_checks.request,
    "boot device": request_checks.boot_device,
    "capsule in place": capsule_checks.placed,
    "order": capsule_checks.order,
    "capsule file": capsule_checks.file,
    "image": capsule_checks.image,
    "key": firmware_checks.key,
    "signature": capsule_checks.signature,
    "version": capsule_checks.version,
    "flash": firmware_checks.room,
    "delete": disk_checks.deletes,
    "last result": request_checks.last_result,
}


def judge(facts: Facts) -> Report:
    """Every check's answer."""
    answers = ((name, check(facts)) for name, check in CHECKS.items())
    return Report(tuple(Finding(name, a.severity, a.what, a.why, a.fix) for name, a in answers))
