"""How the boot tests call what they boot."""

BOOT_FILE = "EFI/BOOT/BOOTAA64.EFI"
ENTRY = 7  # Boot0007: a number that no firmware gives by itself first
