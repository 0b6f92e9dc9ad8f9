"""What differs between versions of U-Boot: the one place that asks for the version."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from ubtest.errors import CaseError

_RELEASE = re.compile(r"(\d{4})\.(\d{2})(?:\.(\d+))?(?:-rc(\d+))?")


@dataclass(frozen=True, order=True)
class Version:
    """A release of U-Boot that compares as time goes: 2025.01-rc2 < 2025.01 < 2025.01.1.

    :param candidate: N of ``-rcN``; infinite for the release itself.
    """

    year: int
    month: int
    patch: int = 0
    candidate: float = math.inf

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read a version; what a build appends (``-next``, ``-g1a2b3c-dirty``) is left out.

        :raises CaseError: the text does not start with YYYY.MM.
        """
        found = _RELEASE.match(text)
        if not found:
            raise CaseError(
                f"`{text}` is not a version of U-Boot", next_step="write it like 2025.01-rc2"
            )
        year, month, patch, candidate = found.groups()
        return cls(int(year), int(month), int(patch or 0), float(candidate or math.inf))

    def __str__(self) -> str:
        patch = f".{self.patch}" if self.patch else ""
        candidate = "" if math.isinf(self.candidate) else f"-rc{self.candidate:.0f}"
        return f"{self.year}.{self.month:02}{patch}{candidate}"


@dataclass(frozen=True)
class Traits:
    """What a version does differently, as far as something here depends on it.

    :param capsule_key: where the firmware looks for the public keys of capsules: the device
        tree's /signature/capsule-key, or an object that is linked into the binary.
    :param certificate_option: the Kconfig string that names the capsule certificate's file.
    :param certificate_below: what U-Boot puts in front of that name.
    :param auto_boot_options: whether Boot#### for the media that are there appear by themselves
        when EFI starts; not so in 2023.01, so in 2025.01.
    :param sandbox_boot_file: the default boot file's name that the sandbox has of its own; None
        where it is that of the host's processor, as in 2023.01 and not in 2025.01.
    """

    capsule_key: Literal["dtb", "binary"]
    certificate_option: str | None = None
    certificate_below: Literal["nothing", "the source tree"] = "nothing"
    auto_boot_options: bool = False
    sandbox_boot_file: str | None = None

    @property
    def needs(self) -> dict[str, bool]:
        """What a test may need of a version, as its marker says it, and whether it is there."""
        return {"auto-boot-options": self.auto_boot_options}


# Each row holds from its version until the next row. From 2023.10 to 2024.07 there was
# EFI_CAPSULE_ESL_FILE, which matters only to boards that build a device tree of their own.
_SINCE = {
    "2022.01": Traits("dtb"),
    "2024.10-rc1": Traits("dtb", "EFI_CAPSULE_CRT_FILE", auto_boot_options=True),
    "2025.01-rc1": Traits(
        "dtb",
        "EFI_CAPSULE_CRT_FILE",
        auto_boot_options=True,
        sandbox_boot_file="BOOTSBOX.EFI",
    ),
    "2025.07-rc1": Traits(
        "binary",
        "EFI_CAPSULE_CRT_FILE",
        "the source tree",
        auto_boot_options=True,
        sandbox_boot_file="BOOTSBOX.EFI",
    ),
}


def traits(version: str) -> Traits:
    """What holds for a version such as "2025.01" or "2026.10-rc2-dirty".

    :raises CaseError: not a version, or older than everything that is known here.
    """
    asked = Version.parse(version)
    rows = [row for since, row in _SINCE.items() if Version.parse(since) <= asked]
    if not rows:
        raise CaseError(
            f"U-Boot {version} is older than {next(iter(_SINCE))}",
            next_step="take a newer one: capsules cannot be authenticated there",
        )
    return rows[-1]
