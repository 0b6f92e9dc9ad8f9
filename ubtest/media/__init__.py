"""Disk images that a board can read."""
