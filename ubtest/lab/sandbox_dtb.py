"""The device tree that a sandbox is started with: the build's own, with this run's files in it."""

import shutil
from pathlib import Path

from ubtest.run import run

FLASH_NODE = "/spi@0/flash@0"  # U-Boot: arch/sandbox/dts/sandbox.dtsi
FLASH_SIZE = 2 << 20  # the chip that it names: m25p16


def sandbox_dtb(base: Path, path: Path, *, flash: Path, esl: bytes | None) -> Path:
    """Write a copy of the build's tree.

    :param flash: the file behind the SPI flash (U-Boot: drivers/mtd/spi/sandbox.c).
    :param esl: EFI signature list; property ``capsule-key`` of ``/signature``
        (U-Boot doc/develop/uefi/uefi.rst, lib/efi_loader/efi_capsule.c), for a firmware that
        looks for the keys there.
    """
    shutil.copyfile(base, path)
    run(["fdtput", "-t", "s", path, FLASH_NODE, "sandbox,filename", str(flash)])
    # Else a control sequence comes before each line
    run(["fdtput", "-d", path, "/serial", "sandbox,text-colour"])
    if esl is not None:
        words = [f"{byte:x}" for byte in esl]
        run(["fdtput", "-p", "-t", "bx", path, "/signature", "capsule-key", *words])
    return path
