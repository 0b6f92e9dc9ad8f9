"""Verbs spoken to a live U-Boot's UEFI side."""
