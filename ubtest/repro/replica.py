"""The report of a guest that VFIO refuses, on a replica: an MMU-500 made of memory with few banks.

The reporter's device is not in QEMU. Where QEMU's own words say that the SMMU-500 has no context
bank left, the same is made there with a device that is: the same ioctl, refused by the same driver.
"""

import errno
from collections.abc import Iterator, Sequence

from ubtest.cases.handoff_faults import E1000E, WITH_GICV2M
from ubtest.cases.mmu500 import DRIVERS, Mmu500
from ubtest.handoff.binding import MODULES
from ubtest.handoff.qemu_words import Refusal, layer_of
from ubtest.recipe.expectations import Crash, Output
from ubtest.recipe.schema import Machine, Recipe
from ubtest.recipe.steps import Linux, LinuxStart, Shell
from ubtest.repro.message import Message, lines_of
from ubtest.repro.understanding import Understanding

# Step that QEMU names -> banks that make Linux 6.1 refuse it
BANKS = {"VFIO_SET_IOMMU": 5, "VFIO_GROUP_SET_CONTAINER": 4}
KERNEL = "debian:6.1"  # 6.12 needs one bank less for a container
PROBE = "vfio-probe"
_WRAPPED = 4  # lines that one of QEMU may have become in a mail


def refusal(messages: Sequence[Message], understood: Understanding) -> Refusal | None:
    """What QEMU says of VFIO in a report; None where it says nothing of it."""
    lines = list(_texts(messages, understood))
    for at, line in enumerate(lines):
        # A mail program may have wrapped the line right before its error
        for size in range(1, _WRAPPED + 1) if layer_of(line) else ():
            said = layer_of(" ".join(lines[at : at + size]))
            if said is not None and said.error:
                return said
    return layer_of("\n".join(lines))


def _texts(messages: Sequence[Message], understood: Understanding) -> Iterator[str]:
    for transcript in understood.transcripts:
        for exchange in transcript.exchanges:
            yield from exchange.output
    yield from (each.value for each in understood.actual)
    yield from (line.text for line, _ in lines_of(list(messages)))


def replica(said: Refusal, title: str, origin: str, board: str) -> Recipe | None:
    """A recipe that has the same step refused for the same reason; None where no replica is known.

    :param said: of :func:`refusal`.
    """
    banks = BANKS.get(said.step)
    if banks is None or said.error != errno.ENOSPC:
        return None
    mmu = Mmu500(banks)
    step = f'"step":"{said.step}"'
    return Recipe(
        title=title,
        from_=origin,
        board=(board,),
        kernel=KERNEL,
        machine=Machine(machine=WITH_GICV2M),
        steps=(
            Linux(LinuxStart(tree=mmu.tree, commands=mmu.commands)),
            Shell(DRIVERS),
            Shell(MODULES),
            Shell(f"echo vfio-pci > /sys/bus/pci/devices/{E1000E}/driver_override"),
            Shell(f"echo {E1000E} > /sys/bus/pci/drivers_probe"),
            Shell(f"{PROBE} {E1000E}", save="probe"),
        ),
        expect=(Output(f'{step},"ok":true', in_="probe"), Crash(False)),
        symptom=(Output(f'{step},"ok":false,"errno":{errno.ENOSPC}', in_="probe"),),
    )
