"""What an update before the boot leaves for the operating system to read."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule, CapsuleResult
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CAPSULE_REPORT, Guid
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS
from ubtest.handoff.handed import hand_over
from ubtest.handoff.tables import esrt_of_kernel, of_esrt
from ubtest.handoff.variables import variables
from ubtest.lab.linux_boot import IMAGE, INITRD, LinuxBoot
from ubtest.media.disk import Disk, MiB, build_disk
from ubtest.uefi import capsules
from ubtest.uefi.on_disk import esp_files

pytestmark = [
    pytest.mark.needs("linux", "EFI_CAPSULE_AUTHENTICATE", "EFI_CAPSULE_ON_DISK", "EFI_ESRT"),
    pytest.mark.mutates("flash"),
    pytest.mark.slow,
]

VERSION, TOO_OLD = 5, 3


@dataclass(frozen=True)
class WithCapsules(LinuxBoot):
    """A boot whose medium carries capsules, too.

    :param files: name -> content.
    """

    files: tuple[tuple[str, bytes], ...] = ()

    def medium(self, path: Path) -> Disk:
        files = {IMAGE: self.kernel.image.read_bytes(), INITRD: self.kernel.initrd.read_bytes()}
        size = (sum(map(len, files.values())) * 5 // 4 // MiB + 40) * MiB
        return build_disk(path, esp_files(dict(self.files), extra=files), size=size)


@pytest.fixture
def updated(board, kernel, keyring, flash):
    """Boots Linux after U-Boot has processed these payloads, each in a capsule of its own."""

    def updated(*payloads: FmpPayload):
        files = tuple((f"{n}.cap", Capsule((each,)).pack()) for n, each in enumerate(payloads))
        boot = WithCapsules(kernel, files=files)
        board.insert(boot)
        uboot = board.boot()
        uboot.check(board.storage.find)
        capsules.name_boot_device(uboot, board.storage.partition)
        capsules.request_update(uboot)
        assert capsules.update_now(uboot)
        uboot.check(board.storage.find)
        return hand_over(board, boot)

    return updated


@pytest.mark.known_bug("boot-time-results-lost")
def test_results_in_efivarfs(updated, board, keyring):
    good = FmpPayload(board.image.image_type, b"new firmware", fw_version=VERSION)
    broken = FmpPayload(board.image.image_type, b"unsigned")
    found = variables(updated(signed(keyring["trusted"], good), broken).survey)

    results = {
        name: CapsuleResult.parse(each.data).status
        for name, each in found.items()
        if each.guid == CAPSULE_REPORT and name.startswith("Capsule0")
    }
    assert results == {"Capsule0000": SUCCESS, "Capsule0001": SECURITY_VIOLATION}
    assert found["CapsuleLast"].data.decode("utf-16-le") == "Capsule0001"
    assert found["CapsuleMax"].data.decode("utf-16-le")[:11] == "Capsule000F"
    request = found.get("OsIndications")
    assert request is None or not any(request.data)


@pytest.mark.known_bug("no-versions")
def test_esrt_shows_the_version_and_the_last_attempt(updated, board, keyring):
    payload = FmpPayload(board.image.image_type, b"new firmware", fw_version=VERSION)
    handoff = updated(signed(keyring["trusted"], payload))

    assert of_esrt(handoff.held("esrt"), handoff.survey) == []
    (entry,) = esrt_of_kernel(handoff.survey)
    assert Guid.of(entry["fw_class"]) == board.image.image_type
    assert entry["fw_version"] == str(VERSION)
    assert entry["last_attempt_status"] == "0"
