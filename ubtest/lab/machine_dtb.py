"""The device tree of a QEMU machine, with what the firmware must find in it added."""

from collections.abc import Mapping
from pathlib import Path

from ubtest.run import run

Properties = Mapping[str, Mapping[str, int | str]]  # node -> property -> a cell or a string


def machine_dtb(
    qemu: str, machine_args: list[str], esl: bytes, path: Path, properties: Properties
) -> Path:
    """Write the tree that this machine would generate, with the capsule public key inside.

    U-Boot on QEMU takes its device tree from QEMU, so the key that other boards carry in their
    own tree has to go in here.

    :param machine_args: the options that shape the tree: machine, CPU, memory.
    :param esl: EFI signature list; property ``capsule-key`` of ``/signature``
        (U-Boot doc/develop/uefi/uefi.rst, lib/efi_loader/efi_capsule.c).
    :param properties: what else goes in; nodes that are missing are made.
    """
    machine, *rest = machine_args
    run([qemu, "-nodefaults", "-display", "none", "-M", f"{machine},dumpdtb={path}", *rest])
    words = [f"{byte:x}" for byte in esl]
    run(["fdtput", "-p", "-t", "bx", path, "/signature", "capsule-key", *words])
    for node, values in properties.items():
        for name, value in values.items():
            kind = "u" if isinstance(value, int) else "s"
            run(["fdtput", "-p", "-t", kind, path, node, name, str(value)])
    return path
