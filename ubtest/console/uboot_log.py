"""What U-Boot prints on its own: a boot, the countdown, a crash."""

import re

# The banner alone is no proof of a reset: `version` prints it too.
RESET = re.compile(rb"U-Boot 20\d\d\.\d\d[^\n]*\n(?:[^\n]*\n){0,8}?DRAM:  ")
AUTOBOOT = re.compile(rb"Hit any key to stop autoboot[^\r\n]*?\d")

# U-Boot: arch/arm/lib/interrupts*.c, arch/x86/cpu/interrupts.c, arch/riscv/lib/interrupts.c,
# lib/hang.c, lib/efi_loader (the last two print before they stop).
CRASH = re.compile(
    rb'"(?:Synchronous Abort|Error|Irq|Fiq)" handler|"(?:Bad) (?:Irq|Fiq|Error)[^"]*"'
    rb"|undefined instruction|prefetch abort|data abort|Unhandled exception"
    rb"|### ERROR ### Please RESET|Kernel panic"
)
CRASH_END = re.compile(rb"resetting \.\.\.|### ERROR ### Please RESET the board ###|U-Boot 20\d\d")
