"""A network card is passed through to a guest: with QEMU's own words, and with real traffic."""

import errno

import pytest

from ubtest.cases.handoff_faults import WITH_GICV2M
from ubtest.cases.mmu500 import Mmu500
from ubtest.formats.cpio import Entry
from ubtest.formats.ethernet import IPV4, Neighbour
from ubtest.handoff import guest
from ubtest.handoff.qemu_words import layer_of
from ubtest.kernel import rootfs
from ubtest.kernel.bundle import find
from ubtest.kernel.overlay import with_files
from ubtest.lab.wire import wire

pytestmark = [pytest.mark.slow, pytest.mark.variant, pytest.mark.needs("linux")]

CARD = "0000:00:10.0"  # the board file's e1000e
MAC = "52:54:00:aa:bb:cc"
NEIGHBOUR = Neighbour(bytes.fromhex("525400ddeeff"), bytes([10, 0, 2, 2]))
PINGS = 20
MEMORY = "512M"  # for QEMU in the target, too
WITHOUT_MAP = ("fdt rm /pcie@10000000 iommu-map",)
BIND = (
    f"echo vfio-pci > /sys/bus/pci/devices/{CARD}/driver_override; "
    f"echo {CARD} > /sys/bus/pci/drivers_probe"
)
# The first program of the guest: link, address, pings, counters of the card
SCRIPT = f"""#!/bin/sh
export PATH=/bin
mkdir -p /proc /sys /dev
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
modprobe e1000e
card=/sys/class/net/eth0
n=0; until [ -e $card ] || [ $n = 100 ]; do sleep 0.1; n=$((n+1)); done
ip link set eth0 up
n=0; until [ "$(cat $card/carrier 2>&-)" = 1 ] || [ $n = 300 ]; do sleep 0.1; n=$((n+1)); done
echo "UBTEST carrier $(cat $card/carrier)"
echo "UBTEST address $(cat $card/address)"
echo "UBTEST driver $(readlink $card/device/driver)"
ip addr add 10.0.2.15/24 dev eth0
ping -c {PINGS} -i 0.2 -s 1000 10.0.2.2
echo "UBTEST ping $?"
echo "UBTEST interrupts $(grep eth0 /proc/interrupts | awk '{{n += $2}} END {{print n}}')"
ip link set eth0 down
echo "UBTEST sent $(cat $card/statistics/tx_packets)"
echo "UBTEST received $(cat $card/statistics/rx_packets)"
poweroff -f
"""


@pytest.fixture
def qemu(board):
    """The root file system with QEMU, on a disk of the board."""
    guest.attach(board, rootfs.find("qemu"))


def refusal(words):
    found = layer_of(words)
    assert found is not None, f"QEMU said: {words!r}"
    return found


def test_qemu_takes_the_card_and_refuses_with_words_that_name_the_step(board, qemu, kernel):
    board.machine.shape(memory=MEMORY)
    shell = board.linux(guest.BesideRoot(kernel))
    guest.enter(shell)

    refused = refusal(guest.passes(shell, CARD))
    assert (refused.step, refused.device) == ("iommu_group", CARD), "no driver has taken it yet"

    shell.check(f"modprobe vfio-pci; {BIND}")
    refused = refusal(guest.passes(shell, CARD))
    assert refused.step == "VFIO_CHECK_EXTENSION", "vfio_iommu_type1 is not loaded"

    shell.check("modprobe vfio_iommu_type1")
    assert guest.passes(shell, CARD) == ""


def test_qemu_refuses_a_card_without_an_iommu(board, qemu, kernel):
    board.machine.shape(memory=MEMORY)
    shell = board.linux(guest.BesideRoot(kernel, tree=WITHOUT_MAP))
    guest.enter(shell)
    shell.run(f"modprobe -a vfio-pci vfio_iommu_type1; {BIND}")

    refused = refusal(guest.passes(shell, CARD))
    assert (refused.step, refused.device) == ("iommu_group", CARD)


@pytest.mark.parametrize(
    ("banks", "step", "words"),
    [
        (3, "VFIO_SET_IOMMU", "Failed to set iommu for container: No space left on device"),
        (2, "VFIO_GROUP_SET_CONTAINER", "Failed to set group container: No space left on device"),
    ],
    ids=("one-bank-left", "none-left"),
)
def test_the_message_of_the_macchiatobin_report(board, qemu, results, banks, step, words):
    """The card's own group and a slot's take two context banks, 6.1 wants two more for a guest."""
    smmu = Mmu500(banks)
    board.machine.shape(machine=WITH_GICV2M, memory=MEMORY)
    boot = guest.BesideRoot(find("debian:6.1"), tree=smmu.tree, commands=smmu.commands)
    shell = board.linux(boot)
    guest.enter(shell)
    shell.check(f"modprobe -a vfio-pci vfio_iommu_type1; {BIND}")

    said = guest.passes(shell, CARD)
    results.keep("qemu-words.txt", said)

    assert words in said
    refused = refusal(said)
    assert (refused.step, refused.error, refused.device) == (step, errno.ENOSPC, CARD)
    assert "context bank" in refused.causes[0]


@pytest.mark.parametrize("kernel", ["debian:6.1", "debian:6.12"])
def test_a_guest_sends_and_receives_through_the_card(board, qemu, results, tmp_path, kernel):
    """Every frame that the guest counts went over the wire, whose other end this test holds."""
    longer = with_files(find(kernel), [Entry("guest", SCRIPT.encode(), 0o755)], tmp_path / "initrd")
    with wire(NEIGHBOUR) as cable:
        board.machine.shape(
            machine="virt,gic-version=3,iommu=smmuv3,virtualization=on",
            memory="3072M",
            smp=2,
            netdevs=(cable.netdev("cable"),),
            devices=(f"e1000e,addr=0x10,romfile=,netdev=cable,mac={MAC}",),
        )
        shell = board.linux(guest.BesideRoot(longer))
        guest.enter(shell)
        guest.mount_esp(shell)
        shell.check("[ -e /dev/kvm ]")
        shell.check(f"modprobe -a vfio-pci vfio_iommu_type1; {BIND}")
        cable.clear()
        seen = guest.run(shell, CARD, script="/guest", timeout=400)
        board.off()
    results.keep("guest.log", seen.output)

    assert layer_of(seen.output) is None, seen.output
    assert seen.said("carrier") == "1"
    assert seen.said("address") == MAC
    assert seen.said("driver").endswith("/e1000e")
    assert seen.said("ping") == "0"
    assert seen.number("interrupts") > 0
    heard, answered = len(cable.heard), len(cable.said)
    assert (seen.number("sent"), seen.number("received")) == (heard, answered)
    assert (pings(cable.heard), pings(cable.said)) == (PINGS, PINGS)
    assert {frame[6:12] for frame in cable.heard} == {bytes.fromhex(MAC.replace(":", ""))}


def pings(frames):
    return sum(frame[12:14] == IPV4 and len(frame) == 14 + 20 + 8 + 1000 for frame in frames)
