"""What the firmware hands to the kernel: verbs for a live kernel, and what can be told beforehand."""
