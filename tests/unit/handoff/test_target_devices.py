"""Which devices a target has, and which of them it stands on."""

import pytest
from recorded_surveys import RECORDED

from ubtest.errors import CaseError, FirmwareError
from ubtest.handoff.binding import BEFORE, on_vfio, refuse_needed
from ubtest.handoff.devices import devices, needed
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import Survey

SURVEY = next(e for e in RECORDED if str(e) == "targets-set-up.3.6.1").survey
EDU, DISK, NET = "0000:00:12.0", "0000:00:03.0", "0000:00:11.0"
PATH = "platform/4010000000.pcie/pci0000:00/0000:00:03.0/virtio0/block/vda"
VDA1 = f"lrwxrwxrwx 1 0 0 0 Nov 24 12:25 254:1 -> ../../devices/{PATH}/vda1"
DM = "lrwxrwxrwx 1 0 0 0 Nov 24 12:25 253:0 -> ../../devices/virtual/block/dm-0"
NVME = (
    "lrwxrwxrwx 1 0 0 0 Nov 24 12:25 259:1 -> "
    "../../devices/platform/4010000000.pcie/pci0000:00/0000:00:11.0/nvme/nvme0n1"
)


def target(mounts: str = "", blocks: str = "", swaps: str = "") -> Survey:
    files = {"mounts": mounts, "blocks": blocks, "swaps": f"Filename Type\n{swaps}"}
    return Survey({**SURVEY.files, **{name: text.encode() for name, text in files.items()}})


def mount(number: str, place: str, kind: str = "ext4", source: str = "/dev/x") -> str:
    return f"25 1 {number} / {place} rw,relatime shared:1 - {kind} {source} rw"


def reason(survey: Survey, name: str) -> str:
    return needed(survey, devices(survey)[name])


def test_pci_devices_with_their_bridge():
    found = devices(SURVEY)
    assert found[EDU].identity == "1234:11e8"
    assert found[EDU].node == "/pcie@10000000"
    assert found[EDU].requester == 0x90
    assert found["0000:00:00.0"].is_bridge
    assert found["9050000.smmuv3"].driver == "arm-smmu-v3"


@pytest.mark.parametrize(
    "survey",
    [
        target(mount("254:1", "/"), VDA1),
        target(mount("0:42", "/", "btrfs", "/dev/vda1"), VDA1),
        target(mount("253:0", "/"), f"{DM}\n{VDA1}\n/sys/block/dm-0/slaves/vda1"),
        target(f"{mount('0:5', '/dev', 'devtmpfs', 'dev')}\n{mount('254:1', '/')}", VDA1),
    ],
    ids=["plain", "btrfs", "LVM", "second in the list"],
)
def test_the_disk_of_the_root_file_system(survey):
    assert reason(survey, DISK) == "the root file system is on it"
    assert reason(survey, EDU) == ""


def test_other_uses_of_a_disk():
    assert reason(target(mount("254:1", "/srv"), VDA1), DISK) == "/srv is on it"
    assert reason(target("", VDA1, "/dev/vda1 partition 1 0 -2"), DISK) == "swap is on it"
    assert reason(target(mount("0:2", "/", "rootfs", "rootfs"), VDA1), DISK) == ""


def test_a_root_over_the_network_needs_every_card():
    survey = target(mount("0:30", "/", "nfs4", "10.0.0.1:/srv"))
    assert reason(survey, NET) == "/ is mounted over the network"
    assert reason(survey, EDU) == ""


def test_a_needed_device_is_refused_with_the_reason():
    survey = target(mount("254:1", "/"), VDA1)
    with pytest.raises(CaseError, match=r"the target needs it, the root file system is on it"):
        refuse_needed(Target(survey), DISK)
    assert refuse_needed(Target(survey), EDU).name == EDU


def test_a_sibling_of_a_needed_device_is_refused_too():
    groups = SURVEY.text("groups") + f"\n./9/devices/{NET}\n./9/devices/{EDU}\n9/type:DMA\n"
    links = SURVEY.text("links") + (
        f"\nl /sys/bus/pci/devices/{EDU}/iommu_group -> ../../../../../kernel/iommu_groups/9"
    )
    survey = target(mount("259:1", "/"), NVME)
    survey = Survey({**survey.files, "groups": groups.encode(), "links": links.encode()})
    with pytest.raises(CaseError, match=f"needs its sibling {NET}, the root file system"):
        refuse_needed(Target(survey), EDU)


class Shell:
    """Takes lines; a driver link says what it was told to."""

    def __init__(self, driver: str):
        self.driver, self.ran = driver, []
        self.output, self.status = b"", 0

    def run(self, line: str, timeout: float = 30):
        self.ran.append(line)
        self.output = self.driver.encode() if line.startswith("readlink") else b""
        return self


def test_a_device_comes_back_also_after_a_mistake():
    device = devices(SURVEY)["9050000.smmuv3"]
    shell = Shell("../../bus/platform/drivers/arm-smmu-v3\n")
    with pytest.raises(ZeroDivisionError), on_vfio(shell, [device]):
        raise ZeroDivisionError
    bind, back, _ = shell.ran
    assert "echo vfio-platform > " in bind
    assert back.endswith("echo 9050000.smmuv3 > /sys/bus/platform/drivers_probe")


def test_a_device_that_does_not_come_back():
    device = devices(SURVEY)["9050000.smmuv3"]
    shell = Shell("../../bus/platform/drivers/vfio-platform\n")
    with pytest.raises(FirmwareError, match="is now with vfio-platform"), on_vfio(shell, [device]):
        pass


def test_what_is_read_before_is_enough_to_refuse():
    names = {"mounts", "swaps", "blocks", "devices", "links", "groups"}
    assert names < set(BEFORE)
