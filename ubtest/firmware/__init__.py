"""Firmware to test: its source, its configuration, its build, and the bundle that comes out."""
