"""What the EFI subsystem knows: its handles, and boot options with their paths as text."""

import re
from dataclasses import dataclass

from ubtest.formats.guid import ESP_TYPE
from ubtest.lab.uboot import UBootConsoleDriver

_HANDLE = re.compile(
    r"^[0-9a-f]{8,16}(?: \((?P<device>[^\n]*)\))?\n(?P<body>(?:  [^\n]*\n?)*)", re.MULTILINE
)
_OPTION = re.compile(
    r"^Boot(?P<number>[0-9A-F]{4}):\nattributes: [^\n]*\n  label: [^\n]*\n"
    r"  file_path: (?P<path>[^\n]*)$",
    re.MULTILINE,
)
# "system" with CONFIG_PARTITION_TYPE_GUID (lib/uuid.c, list_guid)
_SYSTEM_PARTITION = {"System Partition", "system", str(ESP_TYPE)}


@dataclass(frozen=True)
class Handle:
    """One handle that has a device path.

    :param path: as the firmware writes it.
    :param device: the name of U-Boot's device behind it, which need not be the only one of that
        name; empty when there is none.
    """

    path: str
    protocols: frozenset[str]
    device: str = ""

    @property
    def system(self) -> bool:
        """It is an EFI system partition."""
        return not self.protocols.isdisjoint(_SYSTEM_PARTITION)


def handles(uboot: UBootConsoleDriver) -> tuple[Handle, ...]:
    """All handles with a device path, as ``efidebug dh`` shows them."""
    return parse_handles(uboot.check("efidebug dh", timeout=30))


def parse_handles(text: str) -> tuple[Handle, ...]:
    """What ``efidebug dh`` printed (cmd/efidebug.c)."""
    found = []
    for row in _HANDLE.finditer(text):
        lines = [line.strip() for line in row["body"].splitlines() if line.strip()]
        if lines and lines[0].startswith("/"):
            found.append(Handle(lines[0], frozenset(lines[1:]), row["device"] or ""))
    return tuple(found)


def option_paths(uboot: UBootConsoleDriver) -> dict[int, str]:
    """The device paths of all Boot####, as text."""
    return parse_option_paths(uboot.check("efidebug boot dump", timeout=30))


def parse_option_paths(text: str) -> dict[int, str]:
    """What ``efidebug boot dump`` printed (cmd/efidebug.c, show_efi_boot_opt_data)."""
    return {int(row["number"], 16): row["path"] for row in _OPTION.finditer(text)}
