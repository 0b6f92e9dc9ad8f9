"""The SMMU of a good board: probed, a group for each device, and no limit on them."""

import pytest
from vfio_desk import E1000E, EDU, examined, verdict_of

from ubtest.handoff.iommu import Way

pytestmark = pytest.mark.needs("linux")

SMMU = "/smmuv3@9050000"


@pytest.fixture
def explanation(request):
    return examined(request)


def test_the_smmu_has_its_driver(explanation):
    (iommu,) = explanation.target.iommus
    assert iommu.node == SMMU
    assert explanation.target.devices[iommu.device].driver == "arm-smmu-v3"
    assert {EDU, E1000E} <= set(iommu.masters)


def test_each_device_is_alone_in_its_group(explanation):
    numbers = set()
    for name in (EDU, E1000E):
        facts = verdict_of(explanation, name).facts
        assert facts.group.devices == (name,)
        assert facts.group.kind == "DMA"
        assert facts.siblings == ()
        numbers.add(facts.group.number)
    assert len(numbers) == 2


def test_stream_ids_are_those_of_the_tree(explanation):
    """QEMU's are the requester IDs: bus, device, function."""
    for name, stream in ((E1000E, 0x80), (EDU, 0x90)):
        route = verdict_of(explanation, name).facts.route
        assert (route.way, route.iommu, route.stream) == (Way.OPEN, SMMU, stream)
        assert not route.folded


def test_an_smmu_of_version_3_counts_no_banks(explanation):
    (iommu,) = explanation.target.iommus
    assert (iommu.banks, iommu.entries) == (None, None)


def test_a_group_comes_with_the_first_driver(explanation):
    """An empty list of groups after boot is no fault: nothing has been bound yet."""
    for name in (EDU, E1000E):
        (line,) = [
            line
            for line in explanation.target.survey.lines("dmesg")
            if f"{name}: Adding to iommu group" in line
        ]
        assert f"vfio-pci {name}" in line
