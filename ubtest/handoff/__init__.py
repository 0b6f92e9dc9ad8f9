"""What the firmware hands to a kernel: verbs for a live one, and what can be told beforehand."""
