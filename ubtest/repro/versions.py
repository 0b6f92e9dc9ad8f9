"""Versions of U-Boot and of Linux that a line names."""

import re
from collections.abc import Iterator

_UBOOT = re.compile(
    r"(?<![\d.])(20\d\d\.(?:0[1-9]|1[0-2])(?:\.\d{1,2})?(?:-rc\d{1,2})?)(?![\d.]*\d)",
)
_OTHERS = re.compile(r"(?:buildroot|barebox|ubuntu|yocto|edk2)[ :=-]{0,2}v?$", re.IGNORECASE)
_CALLED = re.compile(r"(?:u-boot|uboot)[^.\d]{0,20}$|\bv$", re.IGNORECASE)
_LINUX = re.compile(
    r"\b(?:linux(?: kernel)?(?: version)?|kernel(?: version)?(?: is \w+'s)?"
    r"|linux-image)[ :=-]{1,2}v?"
    r"([3-9]\.\d{1,3}(?:\.\d{1,3})?(?:-rc\d)?(?:-[\w.+-]*\w)?)"
    r"|^\s*(?:Linux \S+ )?([3-9]\.\d{1,3}\.\d{1,3}\S*-(?:arm64|amd64|armmp|generic)\S*)",  # `uname`
    re.IGNORECASE,
)


def versions(text: str) -> Iterator[str]:
    """Releases of U-Boot, "2023.01-rc2".

    A number of three parts is a date unless it is called a version: U-Boot had v2023.07.02.
    """
    for found in _UBOOT.finditer(text):
        before = text[max(0, found.start() - 32) : found.start()]
        if _OTHERS.search(before) or (found[1].count(".") > 1 and not _CALLED.search(before)):
            continue
        yield found[1]


def kernels(text: str) -> Iterator[str]:
    """Versions of Linux, "6.1.0-18-arm64"."""
    for found in _LINUX.finditer(text):
        yield found[1] or found[2]
