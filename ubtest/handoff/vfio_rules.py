"""Why VFIO refuses a device that has a group."""

import errno

from ubtest.handoff.diagnosis import Judgement, Layer, Owner
from ubtest.handoff.facts import TYPE1, Facts

EPERM, EBUSY, ENODEV, ENOSPC, EINVAL = (
    errno.EPERM,
    errno.EBUSY,
    errno.ENODEV,
    errno.ENOSPC,
    errno.EINVAL,
)


def no_vfio_driver(facts: Facts) -> Judgement | None:
    name = facts.device.vfio_driver
    if not facts.probed.steps or name in facts.drivers:
        return None
    return Judgement(
        Layer.VFIO,
        "bind to " + name,
        f"the driver {name} is not there",
        Owner.KERNEL if name == "vfio-platform" else Owner.SETUP,
        (f"# modprobe {name}",)
        if facts.device.bus == "pci"
        else ("kernel with CONFIG_VFIO_PLATFORM; Debian's come without (docs/kernel.md)",),
    )


def no_reset(facts: Facts) -> Judgement | None:
    """vfio-platform wants to be able to reset what it gives away (vfio_platform_common.c)."""
    said = f"No reset function found for device {facts.device.name}"
    if facts.device.on_vfio or not any(said in line for line in facts.messages):
        return None
    return Judgement(
        Layer.VFIO,
        f"bind to {facts.device.vfio_driver}",
        "vfio-platform knows no way to reset the device (error -2)",
        Owner.KERNEL,
        (
            "# modprobe vfio-platform reset_required=0  (Linux 6.1 does not heed it)",
            "or a module of the kernel with a reset function for its compatible string",
        ),
    )


def in_use(facts: Facts) -> Judgement | None:
    step = facts.probed.refused("open group", EBUSY)
    if step is None:
        return None
    return Judgement(
        Layer.VFIO,
        str(step),
        f"another program has the group {facts.device.group} open: a guest that runs",
        Owner.SETUP,
        (f"# fuser -v /dev/vfio/{facts.device.group}",),
    )


def no_type1(facts: Facts) -> Judgement | None:
    step = facts.probed.refused("VFIO_SET_IOMMU", ENODEV)
    if step is None:
        return None
    loaded = TYPE1 in facts.modules
    return Judgement(
        Layer.VFIO,
        str(step),
        f"the module {TYPE1} is {'loaded, and knows no such IOMMU' if loaded else 'not loaded'}",
        Owner.SETUP,
        (f"# modprobe {TYPE1}",),
    )


def sibling_on_host(facts: Facts) -> Judgement | None:
    step = facts.probed.refused("VFIO_GROUP_SET_CONTAINER", EPERM)
    if facts.probed.viable is not False and step is None:
        return None
    busy = [each for each in facts.siblings if each.driver and not each.on_vfio]
    return Judgement(
        Layer.VFIO,
        str(step or "VFIO_GROUP_GET_STATUS"),
        f"group {facts.device.group} also has {', '.join(map(str, busy)) or 'another device'}: "
        "a group goes to a guest as a whole",
        Owner.SETUP,
        tuple(
            f"# echo {each.name} > /sys/bus/{each.bus}/drivers/{each.driver}/unbind"
            for each in busy
        ),
    )


def unsafe_interrupts(facts: Facts) -> Judgement | None:
    """EPERM now, or as soon as what stands before it is mended."""
    step = facts.probed.refused("VFIO_SET_IOMMU", EPERM)
    comes = facts.probed.refused("VFIO_SET_IOMMU", ENOSPC) or facts.probed.refused(
        "VFIO_GROUP_SET_CONTAINER", ENOSPC
    )
    if facts.msi is None or facts.isolated or facts.unsafe_allowed or not (step or comes):
        return None
    return Judgement(
        Layer.VFIO,
        str(step) if step else "VFIO_SET_IOMMU: EPERM (not reached yet)",
        f"the MSI controller {facts.msi[0]} cannot tell one device's interrupts from another's "
        "(No interrupt remapping support)",
        Owner.HARDWARE,
        (
            "kernel command line: vfio_iommu_type1.allow_unsafe_interrupts=1",
            f"# echo 1 > /sys/module/{TYPE1}/parameters/allow_unsafe_interrupts",
            "safe only where the guest is trusted",
        ),
    )


def no_msi_map(facts: Facts) -> Judgement | None:
    """Before 6.12 only the interrupt is refused; since then a device without MSI is unsafe."""
    if facts.msi is not None or facts.device.bus != "pci":
        return None
    steps = facts.probed.all("VFIO_DEVICE_SET_IRQS")
    refused = [each for each in steps if each.error == EINVAL and each.said.get("kind") != "INTx"]
    early = facts.probed.refused("VFIO_SET_IOMMU", EPERM)
    if not refused and not early:
        return None
    return Judgement(
        Layer.VFIO if early else Layer.INTERRUPTS,
        str(early or refused[0]),
        f"{facts.device.node} has no msi-map: the device has no MSI controller",
        Owner.FIRMWARE,
        (f"{facts.device.node}: msi-map = <0x0 &its 0x0 0x10000>;",),
    )


def entry_limit(facts: Facts) -> Judgement | None:
    step = facts.probed.refused("VFIO_IOMMU_MAP_DMA", ENOSPC)
    if step is None:
        return None
    limit = facts.parameters.get(f"{TYPE1}.dma_entry_limit", "?")
    return Judgement(
        Layer.VFIO,
        str(step),
        f"{TYPE1}.dma_entry_limit is {limit}: no more mappings in one container",
        Owner.SETUP,
        (f"# modprobe -r {TYPE1}; modprobe {TYPE1} dma_entry_limit=65535",),
    )
