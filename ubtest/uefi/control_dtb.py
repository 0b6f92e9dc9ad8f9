"""U-Boot's own device tree, in which it looks for the capsule key and for lowest versions."""

import re

from ubtest.errors import FirmwareError
from ubtest.formats.guid import Guid
from ubtest.lab.memory import shown_memory
from ubtest.lab.uboot import UBootConsoleDriver

_BYTES = re.compile(r"= \[([0-9a-f ]+)\]")
_WORDS = re.compile(r"= <(0x[0-9a-f ,x]+)>", re.IGNORECASE)
_PLACE = re.compile(r"= \* 0x0*([0-9a-f]+) \[0x0*([0-9a-f]+)\]")  # longer than CMD_FDT_MAX_DUMP
_VERSION = re.compile(
    r"(?=[^{}]*image-type-id = \"(?P<guid>[0-9A-Fa-f-]{36})\")"
    r"(?=[^{}]*image-index = <(?P<index>0x[0-9a-f]+)>)"
    r"(?=[^{}]*lowest-supported-version = <(?P<lowest>0x[0-9a-f]+)>)"
    r"[^{}]+\}"
)


def select(uboot: UBootConsoleDriver) -> bool:
    """Make the `fdt` commands look at this tree; False when there is no such command."""
    return not uboot.command("fdt addr ${fdtcontroladdr}").status


def capsule_key(uboot: UBootConsoleDriver) -> bytes | None:
    """/signature/capsule-key (lib/efi_loader/efi_capsule.c, efi_get_public_key_data); None when
    the tree has none. :func:`select` comes first.

    :raises FirmwareError: it is there and cannot be read.
    """
    reply = uboot.command("fdt print /signature capsule-key", 30)
    if "FDT_ERR_NOTFOUND" in reply.text:
        return None
    if found := _BYTES.search(reply.text):
        return bytes.fromhex(found[1])
    if found := _WORDS.search(reply.text):
        words = re.findall(r"0x([0-9a-f]+)", found[1], re.IGNORECASE)
        return b"".join(int(word, 16).to_bytes(4, "big") for word in words)
    if found := _PLACE.search(reply.text):
        return shown_memory(uboot, int(found[1], 16), int(found[2], 16))
    if reply.text.rstrip().endswith("capsule-key"):
        return b""
    raise FirmwareError(f"cannot read /signature/capsule-key: {reply.text[:200]}")


def lowest_versions(uboot: UBootConsoleDriver) -> dict[tuple[Guid, int], int]:
    """/firmware-version (efi_firmware_get_lsv_from_dtb): image type and index -> version.

    :raises FirmwareError: not all of it was understood.
    """
    reply = uboot.command("fdt print /firmware-version")
    if "FDT_ERR_NOTFOUND" in reply.text:
        return {}
    return parse_lowest_versions(reply.text)


def parse_lowest_versions(text: str) -> dict[tuple[Guid, int], int]:
    """What ``fdt print /firmware-version`` printed.

    :raises FirmwareError: an entry has no image type or index, so it is not known what U-Boot
        makes of it, or this is no node at all.
    """
    found = {
        (Guid.of(row["guid"]), int(row["index"], 16)): int(row["lowest"], 16)
        for row in _VERSION.finditer(text)
    }
    if "{" not in text or text.count("lowest-supported-version =") != len(found):
        raise FirmwareError(f"cannot read /firmware-version of the device tree: {text}")
    return found
