"""Small device trees to predict from, QEMU's virt and a MacchiatoBin: mappings to be edited."""

import struct
from typing import Any

from ubtest.formats.fdt import flatten, text

SMMU, ITS, GIC, NOTHING = 1, 2, 3, 0xBAD
Tree = dict[str, Any]


def cells(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def virt() -> Tree:
    """SMMUv3 and GICv3 with an ITS; one platform device behind the SMMU."""
    return {
        "#address-cells": cells(1),
        "#size-cells": cells(1),
        "interrupt-parent": cells(GIC),
        "aliases": {"nic": text("/ethernet@a000000")},
        "intc": {
            "compatible": text("arm,gic-v3"),
            "phandle": cells(GIC),
            "#interrupt-cells": cells(3),
            "its": {
                "compatible": text("arm,gic-v3-its"),
                "phandle": cells(ITS),
                "#msi-cells": cells(1),
                "msi-controller": b"",
            },
        },
        "smmu": {
            "compatible": text("arm,smmu-v3"),
            "phandle": cells(SMMU),
            "#iommu-cells": cells(1),
            "dma-coherent": b"",
        },
        "pcie": {
            "compatible": text("pci-host-ecam-generic"),
            "device_type": text("pci"),
            "bus-range": cells(0, 0xFF),
            "iommu-map": cells(0, SMMU, 0, 0x10000),
            "msi-map": cells(0, ITS, 0, 0x10000),
        },
        "ethernet@a000000": {
            "compatible": text("x,nic"),
            "reg": cells(0xA000000, 0x1000),
            "iommus": cells(SMMU, 0x500),
            "msi-parent": cells(ITS, 0),
        },
    }


def mcbin() -> Tree:
    """The IOMMU side of a MacchiatoBin with an SMMU that is enabled: eight banks, GICv2m."""
    tree = virt()
    tree["intc"]["its"] |= {"compatible": text("arm,gic-v2m-frame"), "#msi-cells": cells(0)}
    tree["smmu"] |= {
        "compatible": text("marvell,ap806-smmu-500") + text("arm,mmu-500"),
        "#global-interrupts": cells(1),
        "interrupts": cells(*9 * (0, 6, 4)),
    }
    tree["pcie"] |= {
        "iommu-map": cells(0, SMMU, 0x480, 0x20, 0x100, SMMU, 0x4A0, 0x20),
        "iommu-map-mask": cells(0x31F),
    }
    tree["ethernet@a000000"] |= {"iommus": cells(SMMU, 0x440), "msi-parent": cells(ITS)}
    return tree


def blob(tree: Tree) -> bytes:
    return flatten(tree)
