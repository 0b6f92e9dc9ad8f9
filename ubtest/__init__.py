"""ubtest: proves what a U-Boot UEFI firmware does, on QEMU or on the board on the desk."""

__version__ = "0.1.0"
