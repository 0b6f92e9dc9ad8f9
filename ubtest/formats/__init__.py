"""Binary formats as values: bytes in, bytes out, no files and no processes."""
