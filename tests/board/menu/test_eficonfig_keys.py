"""The keys of Secure Boot in menus: screens where a build has them."""

import pytest

from ubtest.uefi.eficonfig import KEYS, MAIN, SECURE_BOOT, TASKS
from ubtest.uefi.menu import CTRL_C, entries

pytestmark = pytest.mark.needs("CMD_EFICONFIG", "CMD_NVEDIT_EFI")


@pytest.mark.slow
@pytest.mark.needs("EFI_SECURE_BOOT", "EFI_MM_COMM_TEE")
@pytest.mark.parametrize("name", ["PK", "KEK", "db", "dbx"])
def test_keys_of_secure_boot_can_be_enrolled(prompt, eficonfig, name):
    """The screens alone; what enrolled keys do is tested where images are signed."""
    with eficonfig(prompt) as menu:
        menu.open(SECURE_BOOT, KEYS)
        menu.choose(name)
        menu.shows(f"** Configure {name} **", "Enroll New Key")
        menu.press(CTRL_C)
        menu.shows(KEYS)
        menu.press(CTRL_C)
        menu.leave()


@pytest.mark.needs("!EFI_MM_COMM_TEE")
def test_without_a_secure_store_no_keys_are_offered(prompt, eficonfig):
    """cmd/eficonfig.c: keys are enrolled where variables are kept in a secure world only."""
    with eficonfig(prompt) as menu:
        assert entries(menu.shows(MAIN)) == (*TASKS, "Quit")
        menu.leave()
