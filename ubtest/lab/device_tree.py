"""What is put into a board's device tree before it starts."""

from collections.abc import Mapping
from pathlib import Path

from ubtest.run import run

Value = int | str | bytes  # a cell, a string, or bytes as they are
Properties = Mapping[str, Mapping[str, Value]]  # node -> property -> value


def capsule_key(esl: bytes) -> Properties:
    """Where the firmware finds the public keys that it trusts.

    Source: U-Boot doc/develop/uefi/uefi.rst, lib/efi_loader/efi_capsule.c.

    :param esl: EFI signature list.
    """
    return {"/signature": {"capsule-key": esl}}


def put_properties(tree: Path, properties: Properties) -> None:
    """Set properties in a tree's file; nodes that are missing are made."""
    for node, values in properties.items():
        for name, value in values.items():
            run(["fdtput", "-p", *_typed(tree, node, name, value)])


def _typed(tree: Path, node: str, name: str, value: Value) -> list[str | Path]:
    if isinstance(value, bytes):
        return ["-t", "bx", tree, node, name, *(f"{byte:x}" for byte in value)]
    return ["-t", "u" if isinstance(value, int) else "s", tree, node, name, str(value)]
