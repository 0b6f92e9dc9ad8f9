"""An MMU-500 made of memory: the kernel's driver probes it and counts, and nothing is translated.

U-Boot writes the identification registers into memory that the tree keeps from the kernel, and adds
the node. Registers: Arm SMMU architecture v2 (IHI 0062), sections 9.6 and 16; masters as on
MacchiatoBin: stream IDs of PCIe from 0x480.
"""

from dataclasses import dataclass

from ubtest.cases.handoff_faults import (
    E1000E,
    EDU,
    NET,
    NOT_TOLD,
    PCIE,
    UNSAFE,
    WITH_GICV2M,
    Expected,
    FaultyBoot,
    Look,
)

BASE, SIZE, PHANDLE = 0x44000000, 0x10000, 0x9000
FIRST_SPI = 0x3C  # nobody's on QEMU's "virt"
# Both stages and nested, coherent walks, no address translation operations, 15-bit stream IDs
ID0 = 1 << 30 | 1 << 29 | 1 << 28 | 1 << 27 | 1 << 26 | 1 << 14 | 15 << 9
ID1 = 2 << 28  # 8 pages of 4 KiB for the global registers, as many for the banks
ID2 = 0x7555  # 48 bits everywhere, granules of 4, 16 and 64 KiB
ID7 = 0x21
SLOT = "a000000"  # virtio-mmio
# With these, the disk, the network card and the slot have a group each: 3 banks. Built in on 6.12
DRIVERS = "modprobe -a virtio_pci virtio_mmio"
FREE_TWO = (
    f"echo {NET} > /sys/bus/pci/drivers/virtio-pci/unbind; "
    f"for d in pci/devices/{NET} platform/devices/{SLOT}.virtio_mmio; "
    "do echo identity > /sys/bus/$d/iommu_group/type; done"
)


@dataclass(frozen=True)
class Mmu500:
    """One with so many context banks and stream-map entries.

    :param missing: how many of the banks have no interrupt in the tree.
    """

    banks: int
    entries: int = 16
    missing: int = 0

    @property
    def commands(self) -> tuple[str, ...]:
        """U-Boot commands that write its registers."""
        registers = {0x20: ID0 | self.entries, 0x24: ID1 | self.banks, 0x28: ID2, 0x3C: ID7}
        clear = f"mw.l {BASE:x} 0 {SIZE // 4:x}"
        return (clear, *(f"mw.l {BASE + at:x} {word:x}" for at, word in registers.items()))

    @property
    def tree(self) -> tuple[str, ...]:
        """U-Boot commands that make its node, and put PCIe and three slots behind it."""
        node, window = f"/iommu@{BASE:x}", f"/reserved-memory/smmu@{BASE:x}"
        place = f"<0x0 {BASE:#x} 0x0 {SIZE:#x}>"
        spis = range(FIRST_SPI, FIRST_SPI + 1 + self.banks - self.missing)
        interrupts = " ".join(f"0x0 {each:#x} 0x4" for each in spis)
        return (
            "fdt mknode / reserved-memory",
            "fdt set /reserved-memory '#address-cells' <0x2>",
            "fdt set /reserved-memory '#size-cells' <0x2>",
            "fdt set /reserved-memory ranges",
            f"fdt mknode /reserved-memory smmu@{BASE:x}",
            f"fdt set {window} reg {place}",
            f"fdt set {window} no-map",
            f"fdt mknode / iommu@{BASE:x}",
            f'fdt set {node} compatible "marvell,ap806-smmu-500" "arm,mmu-500"',
            f"fdt set {node} reg {place}",
            f"fdt set {node} '#iommu-cells' <0x1>",
            f"fdt set {node} '#global-interrupts' <0x1>",
            f"fdt set {node} interrupts <{interrupts}>",
            f"fdt set {node} dma-coherent",
            f"fdt set {node} phandle <{PHANDLE:#x}>",
            f"fdt set {PCIE} iommu-map <0x0 {PHANDLE:#x} 0x480 0x10000>",
            f"fdt set /virtio_mmio@{SLOT} iommus <{PHANDLE:#x} 0x10>",
        )

    def boot(self, name: str, *looks: Look, arguments: str = "", quick: bool = False) -> FaultyBoot:
        """A start of a target with it; its first look loads the drivers of the host."""
        first = Look(looks[0].rows, looks[0].on, DRIVERS, looks[0].modules)
        return FaultyBoot(
            name,
            (first, *looks[1:]),
            tree=self.tree,
            commands=self.commands,
            machine=WITH_GICV2M,
            arguments=arguments,
            quick=quick,
        )


UNSAFE_THEN = ("unsafe-interrupts",)
EPERM = Expected("unsafe-interrupts", "VFIO_SET_IOMMU: EPERM")
# `e1000e` and not `edu`: nothing keeps a device's DMA behind this one from the flash
BOOTS = (
    Mmu500(banks=5).boot(
        "one bank for the container",  # 6.1 wants two; the message of the MacchiatoBin report
        Look(
            {E1000E: Expected("banks-exhausted", "VFIO_SET_IOMMU: ENOSPC", UNSAFE_THEN)},
            on={"6.12": {E1000E: EPERM}},
        ),
        quick=True,
    ),
    Mmu500(banks=4).boot(
        "no bank for the container",
        Look(
            {
                E1000E: Expected(
                    "banks-exhausted", "VFIO_GROUP_SET_CONTAINER: ENOSPC", UNSAFE_THEN
                ),
                EDU: Expected("banks-exhausted", "bind"),
            },
            on={
                "6.12": {E1000E: Expected("banks-exhausted", "VFIO_SET_IOMMU: ENOSPC", UNSAFE_THEN)}
            },
        ),
        Look({E1000E: EPERM}, prepare=FREE_TWO),
        Look({E1000E: Expected(NOT_TOLD)}, prepare=UNSAFE),
    ),
    Mmu500(banks=4).boot(
        "iommu.passthrough",
        Look({E1000E: EPERM}),
        Look({E1000E: Expected(NOT_TOLD)}, prepare=UNSAFE),
        arguments="iommu.passthrough=1",
    ),
    Mmu500(banks=8, entries=3).boot(
        "no stream-map entry",
        Look({E1000E: Expected("entries-exhausted", "bind")}),
    ),
    Mmu500(banks=8, missing=4).boot(
        "too few interrupts for the banks",
        Look({E1000E: Expected("iommu-not-probed", "probe of the SMMU")}),
    ),
)
