"""Which of a kernel's settings decide what a handoff can show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Symbol:
    """One Kconfig symbol, without CONFIG_."""

    name: str
    why: str


SYMBOLS = (
    Symbol("EFI_STUB", "UEFI can start the Image"),
    Symbol("EFI_ESRT", "/sys/firmware/efi/esrt"),
    Symbol("EFIVAR_FS", "UEFI variables as files"),
    Symbol("EFI_CAPSULE_LOADER", "/dev/efi_capsule_loader"),
    Symbol("EFI_TEST", "/dev/efi_test: runtime services from a program"),
    Symbol("DMI_SYSFS", "SMBIOS structures as files"),
    Symbol("RANDOMIZE_BASE", "takes kaslr-seed"),
    Symbol("STRICT_DEVMEM", "/dev/mem shows no memory of the kernel"),
    Symbol("ARM_SMMU", "SMMU-400 and SMMU-500, as in MacchiatoBin"),
    Symbol("ARM_SMMU_V3", "SMMUv3, as in QEMU"),
    Symbol("ARM_SMMU_DISABLE_BYPASS_BY_DEFAULT", "a device without a stream entry cannot do DMA"),
    Symbol("VIRTIO_IOMMU", "QEMU's paravirtual IOMMU"),
    Symbol("IOMMU_DEFAULT_PASSTHROUGH", "groups are of the type identity"),
    Symbol("IOMMUFD", "/dev/iommu"),
    Symbol("VFIO", "devices for users"),
    Symbol("VFIO_IOMMU_TYPE1", "containers that map DMA"),
    Symbol("VFIO_PCI", "PCI devices for users"),
    Symbol("VFIO_PLATFORM", "devices of the device tree for users"),
    Symbol("VFIO_NOIOMMU", "without an IOMMU, unsafe"),
    Symbol("ARM_GIC_V3_ITS", "interrupts that VFIO calls safe"),
    Symbol("KVM", "guests"),
    Symbol("XEN", "runs as Xen's dom0"),
    Symbol("BPF_JIT", "eBPF as machine code"),
    Symbol("XDP_SOCKETS", "packets past the network stack"),
)
