"""How the boot tests call what they boot."""

ENTRY = 7  # Boot0007: a number that no firmware gives by itself first
