"""What a QEMU machine is made of."""

from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.lab.shape import Shape

SHAPE = Shape("virt", "cortex-a57", "256M", devices=("edu",))


def test_what_is_not_named_stays() -> None:
    other = SHAPE.with_(machine="virt,gic-version=2", devices=["e1000e"], dtb=Path("x.dtb"))
    assert (other.machine, other.devices, other.dtb) == (
        "virt,gic-version=2",
        ("e1000e",),
        Path("x.dtb"),
    )
    assert (other.cpu, other.memory) == (SHAPE.cpu, SHAPE.memory)
    assert SHAPE.devices == ("edu",)


def test_a_machine_has_no_such_thing() -> None:
    with pytest.raises(CaseError, match="a machine has no gic") as caught:
        SHAPE.with_(gic=2)
    assert "machine" in caught.value.next_step


@pytest.mark.parametrize("memory", ["1G", "256", "much", 512])
def test_memory_is_in_mib(memory: object) -> None:
    with pytest.raises(CaseError, match="is not in MiB"):
        SHAPE.with_(memory=memory)


def test_the_command_line() -> None:
    assert SHAPE.arguments("a=b") == ["-M", "virt,a=b", "-cpu", "cortex-a57", "-m", "256M"]
    assert SHAPE.with_(smp=2).arguments()[-2:] == ["-smp", "2"]
