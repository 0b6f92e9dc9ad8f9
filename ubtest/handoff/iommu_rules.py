"""Why a device has no group, or one that does not translate for it."""

import re

from ubtest.handoff.diagnosis import Judgement, Layer, Owner
from ubtest.handoff.facts import Facts
from ubtest.handoff.iommu import Way

BIND = "bind to vfio-pci"
GROUP = "iommu_group"
FREE_BANKS = (
    "kernel command line: iommu.passthrough=1  (groups of host drivers then take no bank)",
    "# echo DEVICE > /sys/bus/BUS/drivers/DRIVER/unbind; "
    "echo identity > /sys/kernel/iommu_groups/N/type  (for one group, without a reboot)",
)


def no_iommu(facts: Facts) -> Judgement | None:
    if not _leads(facts, Way.NO_IOMMU):
        return None
    return _tree(
        "the device tree has no IOMMU: no node with #iommu-cells",
        "hand over a tree that describes the SMMU, if the board has one",
    )


def no_map(facts: Facts) -> Judgement | None:
    if not _leads(facts, Way.NO_MAP):
        return None
    name = "iommu-map" if facts.device.bus == "pci" else "iommus"
    value = "<0x0 &smmu 0x0 0x10000>" if name == "iommu-map" else "<&smmu STREAM_ID>"
    return _tree(
        f"{facts.route.node} has no {name}: the kernel does not know that the device is behind "
        "an IOMMU",
        f"{facts.route.node}: {name} = {value};",
    )


def bad_phandle(facts: Facts) -> Judgement | None:
    if not _leads(facts, Way.BAD_PHANDLE):
        return None
    name = "iommu-map" if facts.device.bus == "pci" else "iommus"
    return _tree(
        f"{facts.route.node}: the phandle in {name} names no node that is an IOMMU",
        f"{facts.route.node}: name the SMMU's node in {name}",
    )


def iommu_disabled(facts: Facts) -> Judgement | None:
    if not _leads(facts, Way.DISABLED):
        return None
    return _tree(
        f"the SMMU {facts.route.iommu} is disabled in the device tree (status)",
        f"=> fdt set {facts.route.iommu} status okay",
    )


def map_too_short(facts: Facts) -> Judgement | None:
    if not _leads(facts, Way.NOT_COVERED):
        return None
    return _tree(
        f"{facts.route.node}: no row of iommu-map has the device's ID {facts.device.requester:#x}",
        f"{facts.route.node}: iommu-map with a length that reaches it, such as 0x10000",
    )


def _leads(facts: Facts, way: Way) -> bool:
    """Whether the device tree leads only so far; not for a device that got a group otherwise."""
    return facts.route.way is way and facts.group is None


def _tree(cause: str, fix: str) -> Judgement:
    return Judgement(Layer.HANDOFF, GROUP, cause, Owner.FIRMWARE, (fix,))


def iommu_not_probed(facts: Facts) -> Judgement | None:
    if facts.route.way is not Way.OPEN or facts.iommu is not None:
        return None
    lacks = [line for line in facts.messages if "smmu" in line and "irq(s) but" in line]
    return Judgement(
        Layer.IOMMU,
        "probe of the SMMU",
        f"no driver has the SMMU {facts.route.iommu}"
        + (f": {lacks[-1].partition('] ')[2]}" if lacks else ""),
        Owner.FIRMWARE if lacks else Owner.KERNEL,
        (f"{facts.route.iommu}: interrupts = one for each context bank, after the global ones",)
        if lacks
        else ("kernel with CONFIG_ARM_SMMU=y and CONFIG_ARM_SMMU_V3=y", "# dmesg | grep -i smmu"),
    )


def banks_exhausted(facts: Facts) -> Judgement | None:
    """ENOSPC at the container, or no group at all: arm_smmu_init_domain_context() found no bank."""
    iommu = facts.iommu
    if iommu is None or iommu.banks is None:
        return None
    refused = facts.probed.refused("VFIO_SET_IOMMU", 28) or facts.probed.refused(
        "VFIO_GROUP_SET_CONTAINER", 28
    )
    none_left = facts.group is None and facts.banks_taken >= iommu.banks
    if not refused and not (none_left and _tried(facts)):
        return None
    users = ", ".join(f"{each.number} ({' '.join(each.devices)})" for each in facts.bank_users)
    others = facts.banks_taken - len(facts.bank_users)
    return Judgement(
        Layer.IOMMU if none_left else Layer.VFIO,
        str(refused) if refused else BIND,
        f"the SMMU has {iommu.banks} context banks, {facts.banks_taken} are taken: by the groups "
        f"{users}"
        + (f", {others} by containers that are or were open" if others else "")
        + "; a container takes one (on Linux 6.1 two)",
        Owner.HARDWARE,
        FREE_BANKS,
    )


def entries_exhausted(facts: Facts) -> Judgement | None:
    """No group and no message: arm_smmu_find_sme() found no free stream-map entry."""
    iommu = facts.iommu
    if iommu is None or iommu.entries is None or facts.group is not None or not _tried(facts):
        return None
    if len(iommu.masters) < iommu.entries or facts.banks_taken >= (iommu.banks or 1 << 16):
        return None
    return Judgement(
        Layer.IOMMU,
        BIND,
        f"the SMMU has {iommu.entries} stream-map entries, all are taken by "
        f"{', '.join(iommu.masters)}",
        Owner.HARDWARE,
        (
            "take `iommus` from nodes of devices that need no translation",
            "or fold stream IDs with iommu-map-mask or stream-match-mask: devices then share",
        ),
    )


def stream_taken(facts: Facts) -> Judgement | None:
    """Two devices, one stream ID: the driver of SMMUv3 takes the first (arm_smmu_insert_master)."""
    said = re.compile(
        rf"{re.escape(facts.device.name)}: stream (\d+) already in tree from dev (\S+)"
    )
    found = [match for line in facts.messages if (match := said.search(line))]
    if facts.group is not None or not found:
        return None
    name = "iommu-map-mask" if facts.masked else "iommu-map"
    return Judgement(
        Layer.IOMMU,
        BIND,
        f"{facts.route.node}: {name} gives the device the stream ID {int(found[-1][1]):#x}, which "
        f"{found[-1][2]} has already",
        Owner.FIRMWARE,
        _mask_fix(facts) if facts.masked else _stream_fix(facts),
    )


def wrong_mask(facts: Facts) -> Judgement | None:
    """`iommu-map-mask` drops bits, and what comes of it is not the stream that the device sends."""
    if not facts.route.folded or facts.probed.moved is not False:
        return None
    return Judgement(
        Layer.DMA,
        "dma",
        f"{facts.route.node}: iommu-map-mask gives the device {facts.device.requester:#x} the "
        f"stream ID {facts.route.stream or 0:#x}; it sends another one, and its data is stopped",
        Owner.FIRMWARE,
        _mask_fix(facts),
    )


def wrong_stream(facts: Facts) -> Judgement | None:
    """The SMMU saw a stream that it does not know (SMMUv3: event C_BAD_STREAMID)."""
    if facts.probed.moved is not False or facts.route.folded:
        return None
    strange = sorted(facts.bad_streams - {facts.route.stream})
    if not strange:
        return None
    return Judgement(
        Layer.DMA,
        "dma",
        f"the device tree gives the device the stream ID {facts.route.stream or 0:#x}, the SMMU "
        f"saw {', '.join(map(hex, strange))}: the device's data is stopped there",
        Owner.FIRMWARE,
        _stream_fix(facts),
    )


def stopped_silently(facts: Facts) -> Judgement | None:
    """Streams that the SMMU's table covers and nobody uses are stopped without a message."""
    if facts.probed.moved is not False or facts.route.folded:
        return None
    if facts.bad_streams - {facts.route.stream}:
        return None
    return Judgement(
        Layer.DMA,
        "dma",
        "no data moves and the SMMU says nothing: most likely the device sends another stream ID "
        f"than the {facts.route.stream or 0:#x} of the device tree, one near it",
        Owner.FIRMWARE,
        _stream_fix(facts),
    )


def _stream_fix(facts: Facts) -> tuple[str, ...]:
    return (f"{facts.route.node}: stream IDs as the hardware has them in iommu-map or iommus",)


def _mask_fix(facts: Facts) -> tuple[str, ...]:
    return (f"=> fdt rm {facts.route.node} iommu-map-mask  (or the mask of the hardware)",)


def not_coherent(facts: Facts) -> Judgement | None:
    """A group, and VFIO refuses the device: drivers/vfio/vfio_main.c wants cache coherence."""
    if facts.group is None or not _tried(facts) or facts.device.driver or facts.coherent:
        return None
    return Judgement(
        Layer.VFIO,
        BIND,
        f"the SMMU {facts.route.iommu} is not said to be coherent, and VFIO takes only devices "
        "whose DMA is coherent with the caches (error -22)",
        Owner.FIRMWARE,
        (f"{facts.route.iommu}: dma-coherent;  (if the hardware is coherent)",),
    )


def _tried(facts: Facts) -> bool:
    """Whether somebody tried to give the device to VFIO."""
    asked = facts.device.override == facts.device.vfio_driver or bool(facts.probed.steps)
    return asked and facts.device.vfio_driver in facts.drivers
