"""Kconfig options whose value a line says."""

import re
from collections.abc import Iterator

_ASSIGNED = re.compile(r"\b(CONFIG_[A-Z0-9_]{1,80}=(?:\"[^\"]{0,200}\"|[\w./-]{1,80}))")
_UNSET = re.compile(r"\s*# (CONFIG_[A-Z0-9_]{1,80}) is not set\b")
_ON = r"(?:enabled?|set|with|turned on|selected)"
_OFF = r"(?:disabled?|unset|without|turned off)"
_NAME = r"`?(CONFIG_[A-Z0-9_]{1,80})`?(?!=)\b"
_SAID = (
    (re.compile(rf"{_NAME} (?:is |are |being )?(?:not {_ON}|{_OFF})\b"), "n"),
    (re.compile(rf"{_NAME} (?:is |are |being )?{_ON}\b"), "y"),
    (re.compile(rf"\b{_OFF} {_NAME}"), "n"),
    (re.compile(rf"\b{_ON} {_NAME}"), "y"),
)


def kconfig(text: str) -> Iterator[str]:
    """Lines of a .config: "CONFIG_X=y"; "CONFIG_X=n" for one that is not set."""
    if "CONFIG_" not in text:
        return
    if found := _UNSET.match(text):
        yield f"{found[1]}=n"
        return
    for found in _ASSIGNED.finditer(text):
        yield found[1].rstrip(".-")
    for pattern, value in _SAID:
        for found in pattern.finditer(text):
            yield f"{found[1]}={value}"
