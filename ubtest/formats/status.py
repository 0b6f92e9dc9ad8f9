"""EFI_STATUS: what a UEFI service answers (UEFI 2.10 appendix D), as 64-bit firmware writes it."""

ERROR = 1 << 63

SUCCESS = 0
LOAD_ERROR = ERROR | 1
INVALID_PARAMETER = ERROR | 2
UNSUPPORTED = ERROR | 3
BUFFER_TOO_SMALL = ERROR | 5
DEVICE_ERROR = ERROR | 7
WRITE_PROTECTED = ERROR | 8
OUT_OF_RESOURCES = ERROR | 9
NOT_FOUND = ERROR | 14
ACCESS_DENIED = ERROR | 15
ABORTED = ERROR | 21
SECURITY_VIOLATION = ERROR | 26

NAMES = {
    value: name for name, value in globals().items() if name.isupper() and isinstance(value, int)
}


def in_bits(status: int, bits: int) -> int:
    """A status as firmware of 32 or 64 bits writes it: the mark of an error is the highest bit."""
    return status & ~ERROR | (1 << (bits - 1) if status & ERROR else 0)


def status_name(status: int) -> str:
    """The specification's name of a status, or the number where it has none here."""
    return NAMES.get(status, f"{status:#x}") if status != ERROR else f"{ERROR:#x}"
