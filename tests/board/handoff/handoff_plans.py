"""The boots that the handoff tests judge; each is made once and judged by many."""

from dataclasses import dataclass

KERNELS = ("debian:6.1", "debian:6.12")

HOLE, POOL, ENTRY = (0x46000000, 0x100000), (0x46200000, 0x200000), (0x46500000, 0x100000)
MAC = "52:54:00:aa:bb:cc"  # of eth7addr: U-Boot itself sets the lower ones when it finds cards
WITH_MAC, WITHOUT_MAC, WITHOUT_ALIAS = "/nic@7", "/nic@8", "/nic@9"
RESERVED_MEMORY = (
    "fdt mknode / reserved-memory",
    "fdt set /reserved-memory '#address-cells' <2>",
    "fdt set /reserved-memory '#size-cells' <2>",
    "fdt set /reserved-memory ranges",
)
ALIASES = (
    "fdt mknode / aliases",
    f"fdt set /aliases ethernet7 {WITH_MAC}",
    f"fdt set /aliases ethernet8 {WITHOUT_MAC}",
    *(f"fdt mknode / {path[1:]}" for path in (WITH_MAC, WITHOUT_MAC, WITHOUT_ALIAS)),
)


def reserved(name: str, place: tuple[int, int], *flags: str) -> tuple[str, ...]:
    """The commands that reserve memory in a tree with /reserved-memory."""
    start, size = place
    node = f"{name}@{start:x}"
    return (
        f"fdt mknode /reserved-memory {node}",
        f"fdt set /reserved-memory/{node} reg <0 {start:#x} 0 {size:#x}>",
        *(f"fdt set /reserved-memory/{node} {flag}" for flag in flags),
    )


@dataclass(frozen=True)
class Plan:
    """One boot.

    :param kernel: its origin; empty for the one of `--kernel`.
    :param devices: QEMU devices beside those of the board file.
    :param tree: U-Boot commands that edit the device tree.
    :param commands: U-Boot commands before all that.
    """

    kernel: str = ""
    through: str = "bootmgr"
    arguments: str = ""
    devices: tuple[str, ...] = ()
    tree: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


PLAIN = Plan()
# As much as goes together in one boot: reservations of all kinds, MACs, a source of randomness,
# BARs that stay, and a bridge with a card behind it
RICH = Plan(
    devices=(
        "virtio-rng-pci,addr=0x13",
        "pcie-root-port,id=rp,addr=0x14,chassis=1",
        "e1000e,bus=rp,romfile=",
    ),
    tree=(
        *RESERVED_MEMORY,
        *reserved("hole", HOLE, "no-map"),
        *reserved("pool", POOL),
        f"fdt rsvmem add {ENTRY[0]:#x} {ENTRY[1]:#x}",
        *ALIASES,
        "fdt set /chosen linux,pci-probe-only <1>",
    ),
    commands=(f"setenv eth7addr {MAC}",),
)
BY_HAND = Plan(through="booti")
