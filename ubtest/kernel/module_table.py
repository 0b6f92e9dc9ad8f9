"""Which modules the initramfs holds, beside those that they need."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """One module; a kernel that has it built in, or not at all, is taken as it is."""

    name: str
    why: str


WANTED = (
    Wanted("vfio-pci", "hands a PCI device to a user"),
    Wanted("vfio_iommu_type1", "maps its DMA"),
    Wanted("vfio-platform", "hands over a device of the device tree; Debian does not build it"),
    Wanted("pci-stub", "keeps a sibling of the group away from its driver"),
    Wanted("virtio_pci", "virtio in QEMU's PCI slots; built in since 6.12"),
    Wanted("virtio_mmio", "virtio in QEMU's platform slots"),
    Wanted("virtio_blk", "QEMU's disk"),
    Wanted("virtio_net", "QEMU's network"),
    Wanted("virtio-rng", "entropy, and a virtio device that holds nothing"),
    Wanted("virtio-iommu", "the IOMMU of a virt machine without SMMU"),
    Wanted("nvme", "a disk on PCI that masters the bus by itself"),
    Wanted("e1000e", "the network card that is passed through"),
    Wanted("igb", "a network card with virtual functions"),
    Wanted("mvpp2", "MacchiatoBin's network"),
    Wanted("mvmdio", "finds mvpp2's PHYs"),
    Wanted("marvell10g", "MacchiatoBin's 10G PHYs"),
    Wanted("phy-mvebu-cp110-comphy", "MacchiatoBin's lanes"),
    Wanted("efivarfs", "UEFI variables as files"),
    Wanted("capsule-loader", "capsules at runtime"),
    Wanted("vfat", "the ESP"),
    Wanted("nls_cp437", "vfat's short names"),
    Wanted("nls_ascii", "vfat's long names, Debian's default"),
    Wanted("nls_iso8859-1", "vfat's long names, the kernel's default"),
    Wanted("nls_utf8", "vfat with iocharset=utf8"),
    Wanted("ext4", "root file systems"),
    Wanted("crc32c_generic", "ext4 without it says ENOENT; until 6.13"),
    Wanted("9pnet_virtio", "files of the host"),
    Wanted("9p", "files of the host"),
    Wanted("veth", "a network that XDP can be tried on"),
)
