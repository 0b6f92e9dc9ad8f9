"""Faults of what is handed to the kernel, injected from U-Boot, and what must be said of each.

One boot has several rows where that is possible: rows of `iommu-map` give each device a fault of
its own, and modules are loaded and removed on the running target. Written for QEMU's "virt" machine
as boards/qemu-arm64.yaml has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ubtest.handoff.binding import MODULES

PCIE, SMMU = "/pcie@10000000", "/smmuv3@9050000"
SDHCI = "0000:00:02.0"
E1000E, NET, EDU = "0000:00:10.0", "0000:00:11.0", "0000:00:12.0"
MODERN = "virt,gic-version=3"
WITH_GICV2M = "virt,gic-version=2"
UNSAFE = "echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
BY_NOTHING = ""  # data moved and interrupts arrived
NOT_TOLD = "not told"  # nothing stands against it, and nothing was moved


@dataclass(frozen=True)
class Expected:
    """What must be said of one device.

    :param name: of the primary diagnosis; or one of the two words above.
    :param step: how its step starts.
    :param then: names of the diagnoses hidden behind it.
    """

    name: str
    step: str = ""
    then: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """One `explain` on the running target.

    :param rows: what is expected of each device.
    :param on: where a kernel's version changes that: version, device, expectation.
    :param prepare: shell line that is run before; it has to succeed.
    :param modules: what loads VFIO's modules.
    """

    rows: Mapping[str, Expected]
    on: Mapping[str, Mapping[str, Expected]] = field(default_factory=dict)
    prepare: str = ""
    modules: str = MODULES

    def expected(self, version: str) -> Mapping[str, Expected]:
        return {**self.rows, **self.on.get(version, {})}


@dataclass(frozen=True)
class FaultyBoot:
    """One start of the target.

    :param tree: U-Boot commands that edit the device tree.
    :param commands: U-Boot commands before.
    :param machine: QEMU's ``-M``, where it is another one.
    :param devices: more ``-device`` values.
    :param quick: part of a plain run; the others take `--slow`.
    """

    name: str
    looks: tuple[Look, ...]
    tree: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    machine: str = ""
    devices: tuple[str, ...] = ()
    arguments: str = ""
    quick: bool = False

    @property
    def id(self) -> str:
        """Its name as a part of a file's."""
        return self.name.replace(" ", "-").replace("'", "")


def _one(name: str, step: str = "") -> tuple[Look, ...]:
    return (Look({EDU: Expected(name, step)}),)


WITH_SMMU = f"fdt get value smmu {SMMU} phandle"
# A row of the map is a device here, one of 8 functions
_ROWS = (
    "0x0 ${smmu} 0x0 0x98 "
    "0x98 ${smmu} 0xe0 0x8 "  # 0x13: another one, in the part of the SMMU's table that is there
    "0xa0 0x9999 0xa0 0x8"  # 0x14: no such node
)  # 0x15: no row

BOOTS = (
    FaultyBoot(
        "target's set-up",
        quick=True,
        devices=(
            "pci-serial,addr=0x13.0,multifunction=on",
            "edu,addr=0x13.1",
        ),
        looks=(
            Look({EDU: Expected("no-vfio-driver", "bind")}, modules="modprobe vfio_iommu_type1"),
            Look(
                {EDU: Expected("no-type1", "VFIO_SET_IOMMU: ENODEV")},
                modules="modprobe vfio-pci; rmmod vfio_iommu_type1",
            ),
            Look(
                {EDU: Expected("entry-limit", "VFIO_IOMMU_MAP_DMA: ENOSPC")},
                modules="modprobe vfio_iommu_type1 dma_entry_limit=1",
            ),
            Look(
                {
                    EDU: Expected(BY_NOTHING),
                    E1000E: Expected(NOT_TOLD),
                    "0000:00:13.1": Expected("sibling-on-host", "VFIO_GROUP_SET_CONTAINER: EPERM"),
                },
                prepare="rmmod vfio_iommu_type1",
            ),
            Look(
                {"0000:00:13.1": Expected(BY_NOTHING)},
                prepare="echo 0000:00:13.0 > /sys/bus/pci/drivers/serial/unbind",
            ),
        ),
    ),
    FaultyBoot(
        "stream IDs",
        quick=True,
        devices=("edu,addr=0x13", "edu,addr=0x14", "edu,addr=0x15"),
        tree=(WITH_SMMU, f"fdt set {PCIE} iommu-map <{_ROWS}>"),
        looks=(
            Look(
                {
                    EDU: Expected(BY_NOTHING),
                    "0000:00:13.0": Expected("stopped-silently", "dma"),
                    "0000:00:14.0": Expected("bad-phandle", "iommu_group"),
                    "0000:00:15.0": Expected("map-too-short", "iommu_group"),
                }
            ),
        ),
    ),
    FaultyBoot(
        "all stream IDs off by 0x100",
        tree=(WITH_SMMU, f"fdt set {PCIE} iommu-map <0x0 ${{smmu}} 0x100 0x10000>"),
        looks=_one("wrong-stream", "dma"),
    ),
    FaultyBoot(
        "iommu-map-mask",
        # 0x90 becomes 0x10, which is the SD controller's
        tree=(f"fdt set {PCIE} iommu-map-mask <0x7f>",),
        looks=(
            Look({EDU: Expected("wrong-mask", "dma")}),
            Look({SDHCI: Expected("stream-taken", "bind")}),
        ),
    ),
    FaultyBoot("no IOMMU", machine=MODERN, looks=_one("no-iommu", "iommu_group")),
    FaultyBoot(
        "no iommu-map",
        tree=(f"fdt rm {PCIE} iommu-map",),
        looks=_one("no-map", "iommu_group"),
    ),
    FaultyBoot(
        "SMMU disabled",
        tree=(f"fdt set {SMMU} status disabled",),
        looks=_one("iommu-disabled", "iommu_group"),
    ),
    FaultyBoot(
        "SMMU not coherent",
        tree=(f"fdt rm {SMMU} dma-coherent",),
        looks=_one("not-coherent", "bind"),
    ),
    FaultyBoot(
        "no msi-map",
        tree=(f"fdt rm {PCIE} msi-map",),
        looks=(
            Look(
                {EDU: Expected("no-msi-map", "VFIO_DEVICE_SET_IRQS (MSI): EINVAL")},
                on={"6.12": {EDU: Expected("no-msi-map", "VFIO_SET_IOMMU: EPERM")}},
            ),
        ),
    ),
    FaultyBoot(
        "GICv2m",
        machine=f"{WITH_GICV2M},iommu=smmuv3",
        looks=(
            Look({EDU: Expected("unsafe-interrupts", "VFIO_SET_IOMMU: EPERM")}),
            Look({EDU: Expected(BY_NOTHING)}, prepare=UNSAFE),
        ),
    ),
)
