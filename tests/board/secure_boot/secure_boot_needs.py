"""What the Secure Boot tests want of firmware and board."""

import pytest

SECURE_BOOT = pytest.mark.needs(
    "EFI_SECURE_BOOT",
    "CMD_NVEDIT_EFI",
    "!SANDBOX",  # `setenv -i` wants an address of another kind there
)
