"""The ESRT, which tells an operating system what can be updated (UEFI 2.10 section 23.4), as
U-Boot prints it (cmd/efidebug.c, do_efi_capsule_esrt)."""

import re
from dataclasses import dataclass

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

_COUNT = re.compile(r"^ESRT: fw_resource_count=(\d+)$", re.MULTILINE)
_ENTRY = re.compile(
    r"^ESRT: fw_class=(?P<kind>[0-9A-Fa-f-]{36})\n"
    r"ESRT: fw_type=[^\n]*\n"
    r"ESRT: fw_version=(?P<version>-?\d+)\n"
    r"ESRT: lowest_supported_fw_version=(?P<lowest>-?\d+)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Resource:
    """One entry: an image that can be updated.

    :param image_type: FwClass.
    :param version: FwVersion.
    :param lowest_supported_version: LowestSupportedFwVersion.
    """

    image_type: Guid
    version: int
    lowest_supported_version: int


def parse_esrt(text: str) -> tuple[Resource, ...]:
    """The entries in what ``efidebug capsule esrt`` printed, in its order.

    :raises FormatError: there is no table, or it has not as many entries as it says.
    """
    count = _COUNT.search(text)
    found = tuple(
        Resource(Guid.of(entry["kind"]), _unsigned(entry["version"]), _unsigned(entry["lowest"]))
        for entry in _ENTRY.finditer(text)
    )
    if count is None or int(count[1]) != len(found):
        raise FormatError(f"ESRT: {len(found)} entries in {text!r}")
    return found


def _unsigned(text: str) -> int:
    """32 bits that were printed with a sign."""
    return int(text) & 0xFFFFFFFF
