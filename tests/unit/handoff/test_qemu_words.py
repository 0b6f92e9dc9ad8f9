"""Messages of QEMU 7.2 on Linux 6.1, if nothing else is said, recorded from a target in the state
that the test names."""

import errno
import re

import pytest

from ubtest.handoff.diagnosis import Layer
from ubtest.handoff.qemu_words import WORDS, layer_of

# The banner and the line editor's escapes are part of what people paste
BANNER = "QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) "
OPTION = "qemu-system-aarch64: -device vfio-pci,host=0000:00:02.0,romfile=: "
DEVICE = "vfio 0000:00:02.0: "
CONTAINER = DEVICE + "failed to setup container for group 0: "

RECORDED = [
    pytest.param(
        OPTION + "vfio /sys/bus/pci/devices/0000:00:09.0: no such host device: "
        "No such file or directory",
        "find device",
        errno.ENOENT,
        id="no such device",
    ),
    pytest.param(
        OPTION + DEVICE + "no iommu_group found: No such file or directory",
        "iommu_group",
        errno.ENOENT,
        id="iommu-map removed, and a device that no driver has taken yet",
    ),
    pytest.param(
        OPTION + DEVICE + "failed to open /dev/vfio/0: No such file or directory",
        "open group",
        errno.ENOENT,
        id="on the driver of the host",
    ),
    pytest.param(
        OPTION + DEVICE + "failed to open /dev/vfio/0: Device or resource busy",
        "open group",
        errno.EBUSY,
        id="another process has the group",
    ),
    pytest.param(
        OPTION + CONTAINER + "failed to open /dev/vfio/vfio: No such file or directory",
        "open container",
        errno.ENOENT,
        id="no container file",
    ),
    pytest.param(
        OPTION + DEVICE + "group 0 is not viable\nPlease ensure all devices within the "
        "iommu_group are bound to their vfio bus driver.",
        "VFIO_GROUP_GET_STATUS",
        0,
        id="sibling on the driver of the host",
    ),
    pytest.param(
        OPTION + CONTAINER + "No available IOMMU models",
        "VFIO_CHECK_EXTENSION",
        0,
        id="vfio_iommu_type1 not loaded",
    ),
    pytest.param(
        OPTION + CONTAINER + "Failed to set iommu for container: Operation not permitted",
        "VFIO_SET_IOMMU",
        errno.EPERM,
        id="GICv2m",
    ),
    pytest.param(
        OPTION + CONTAINER + "Failed to set iommu for container: No space left on device",
        "VFIO_SET_IOMMU",
        errno.ENOSPC,
        id="one context bank left, as in the MacchiatoBin report",
    ),
    pytest.param(
        OPTION + CONTAINER + "Failed to set group container: No space left on device",
        "VFIO_GROUP_SET_CONTAINER",
        errno.ENOSPC,
        id="no context bank left",
    ),
    pytest.param(
        OPTION + "VFIO_MAP_DMA failed: No space left on device\n" + OPTION + CONTAINER
        + "memory listener initialization failed: Region mach-virt.ram: "
        "vfio_dma_map(0xaaaadf7406c0, 0x40000000, 0x8000000, 0xffff8c400000) = -28 "
        "(No space left on device)",
        "VFIO_IOMMU_MAP_DMA",
        errno.ENOSPC,
        id="dma_entry_limit=0",
    ),
    pytest.param(
        OPTION + CONTAINER + "memory listener initialization failed: Region mach-virt.ram: "
        "vfio_container_dma_map(0xaaaafd6d9b00, 0x40000000, 0x4000000, 0xffff8e400000) = -28 "
        "(No space left on device)",
        "VFIO_IOMMU_MAP_DMA",
        errno.ENOSPC,
        id="dma_entry_limit=0, QEMU 10.0 on Linux 6.12",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "step", "error"), RECORDED)
def test_a_recorded_message_gives_the_step_that_refused(
    message: str, step: str, error: int
) -> None:
    found = layer_of(BANNER + message)
    assert found is not None
    assert (found.step, found.error) == (step, error)
    assert found.causes
    assert found.device in ("0000:00:02.0", "0000:00:09.0")


def test_words_of_older_versions_of_qemu_are_known() -> None:
    """In small letters up to QEMU 2.8."""
    found = layer_of("vfio: failed to set iommu for container: No space left on device")
    assert found is not None
    assert (found.step, found.error, found.layer) == ("VFIO_SET_IOMMU", errno.ENOSPC, Layer.IOMMU)
    assert "context bank" in found.causes[0]
    assert str(found) == "VFIO_SET_IOMMU: ENOSPC (iommu)"


def test_no_two_messages_are_taken_for_each_other() -> None:
    for param in RECORDED:
        line = str(param.values[0]).splitlines()[0]
        matching = [words.step for words in WORDS if layer_of(line) and _says(words.says, line)]
        assert matching == [param.values[1]]


@pytest.mark.parametrize(
    "message", ["", "(qemu) quit", 'qemu-system-aarch64: failed to find romfile "efi-virtio.rom"']
)
def test_other_words_say_nothing(message: str) -> None:
    assert layer_of(message) is None


def _says(pattern: str, line: str) -> bool:
    return re.search(pattern, line, re.IGNORECASE) is not None
