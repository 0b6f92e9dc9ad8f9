"""The probe's lines, read."""

import errno

from ubtest.handoff.vfio import Probed

LINES = """\
{"device":"0000:00:12.0","step":"open container","ok":true}
[    2.1] vfio-pci 0000:00:12.0: enabling device (0000 -> 0002)
{"device":"0000:00:12.0","step":"VFIO_GROUP_GET_STATUS","ok":true,"viable":false}
{"device":"0000:00:12.0","step":"VFIO_SET_IOMMU","ok":false,"errno":28}
{"device":"0000:00:12.0","step":"interrupt","ok":true,"kind":"MSI"}
{"device":"0000:00:12.0","step":"dma","ok":null,"why":"only QEMU's edu moves data when asked"}
"""


def test_steps():
    probed = Probed.read(LINES)
    assert len(probed.steps) == 5
    assert [str(each) for each in probed.failed] == ["VFIO_SET_IOMMU: ENOSPC"]
    assert probed.failed[0].why == "No space left on device"
    assert probed.refused("VFIO_SET_IOMMU", errno.ENOSPC)
    assert not probed.refused("VFIO_SET_IOMMU", errno.EPERM)
    assert probed.viable is False
    assert probed.arrived("MSI") is True
    assert probed.arrived("INTx") is None
    assert probed.moved is None
    assert probed.whole


def test_nothing_is_made_of_torn_lines():
    assert Probed.read('{"device":"x","step":"dma","ok":tr').steps == ()
    assert Probed.read('{"device":"x"}\n{"device":[]').steps == ()
    assert not Probed.read("").whole
    assert Probed.read("").viable is None
