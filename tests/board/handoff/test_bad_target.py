"""Targets that are not as they should be: what can be read is, and the rest is said clearly."""

import pytest

from ubtest.errors import CaseError, KernelCrash
from ubtest.handoff.firmware_side import TREE
from ubtest.handoff.handed import Handoff, hand_over
from ubtest.handoff.survey import Survey
from ubtest.handoff.target_side import gather
from ubtest.lab.linux_boot import LinuxBoot

pytestmark = [pytest.mark.needs("linux"), pytest.mark.slow]


@pytest.mark.mutates("linux")
def test_a_read_only_root_is_enough(linux):
    linux.check("mount -o remount,ro /tmp; mount -o remount,ro /")
    assert linux.run("mkdir /tmp/x").status
    survey = gather(linux)
    assert survey.text("proc/iomem")
    assert survey.files["sys/firmware/dmi/tables/DMI"]


@pytest.mark.mutates("linux")
def test_no_device_tree(linux):
    linux.check("mount -t tmpfs none /sys/firmware")
    survey = gather(linux)
    handoff = Handoff(Survey({**survey.files, TREE: b""}))
    with pytest.raises(CaseError, match="no /sys/firmware/fdt"):
        _ = handoff.after


def test_a_panic_half_way_is_the_end(board, kernel):
    with pytest.raises(KernelCrash, match=r"[Pp]anic"):
        hand_over(board, LinuxBoot(kernel, arguments="rdinit=/none init=/none"))
