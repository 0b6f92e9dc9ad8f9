"""Boards that a line names."""

import re
from collections.abc import Iterator

_DEFCONFIG = re.compile(r"\b([a-zA-Z0-9][\w.-]{1,60}?)_defconfig\b")
_MODEL = re.compile(r"\s*(?:Model|Board): {1,3}(\S.{0,80})")
_NAMES = (  # how people call a board, its defconfig
    (r"macchiato ?bin|mcbin", "mvebu_mcbin-88f8040"),
    (r"espresso ?bin", "mvebu_espressobin-88f3720"),
    (r"qemu[-_ ](?:arm64|aarch64)", "qemu_arm64"),
    (r"qemu[-_ ]arm", "qemu_arm"),
    (r"qemu[-_ ]x86[-_]64", "qemu-x86_64"),
    (r"qemu[-_ ]riscv64", "qemu-riscv64"),
    (r"sandbox", "sandbox"),
    (r"(?:raspberry ?pi|rpi) ?4\w?", "rpi_4"),
    (r"(?:raspberry ?pi|rpi) ?3\w?", "rpi_3"),
    (r"beagle ?bone(?: ?black)?", "am335x_evm"),
    (r"visionfive ?2", "starfive_visionfive2"),
    (r"rock ?pro ?64", "rockpro64-rk3399"),
)
_NAME = re.compile(
    "|".join(rf"(?P<n{number}>\b(?:{name})\b)" for number, (name, _) in enumerate(_NAMES)),
    re.IGNORECASE,
)
_VIRTUAL = frozenset({"linux,dummy-virt"})  # QEMU's: the command line says which one


def boards(text: str) -> Iterator[str]:
    """Defconfigs without "_defconfig"; the name as it stands where the defconfig is not known."""
    for found in _DEFCONFIG.finditer(text):
        yield found[1]
    names = [_NAMES[int(str(found.lastgroup)[1:])][1] for found in _NAME.finditer(text)]
    yield from names
    model = _MODEL.match(text)
    if model and not names and model[1] not in _VIRTUAL:
        yield model[1].strip()
