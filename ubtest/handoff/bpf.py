"""What the target's kernel can do with eBPF: its compiler, and XDP for each network card."""

from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.firmware.config import Kconfig
from ubtest.handoff.devices import devices
from ubtest.handoff.survey import Survey

NETWORK = 0x02  # PCI class
# Drivers of Debian's arm64 kernels 6.1 and 6.12 whose modules call bpf_warn_invalid_xdp_action(),
# as each with XDP of its own does; for others the network stack runs the programs, slower. A virtio
# card on PCI has virtio-pci as its driver, with virtio_net behind it
NATIVE = frozenset(
    {
        "atlantic", "bnxt_en", "ena", "fsl_dpaa2_eth", "fsl_enetc", "fsl_enetc_vf", "i40e", "ice",
        "igb", "igc", "ixgbe", "ixgbevf", "mana", "mlx4_core", "mlx5_core", "mvneta", "mvpp2",
        "netsec", "nfp", "nicvf", "qede", "sfc", "stmmac", "virtio-pci", "virtio_net",
    }
)  # fmt: skip
JIT = {"0": "off", "1": "on", "2": "on, with debugging"}


@dataclass(frozen=True)
class Card:
    """One network card.

    :param driver: None while no driver has it.
    :param xdp: "native", "generic", or what keeps it unknown.
    """

    name: str
    driver: str | None
    xdp: str


@dataclass(frozen=True)
class Bpf:
    """:param looked_at: where each answer comes from."""

    bpf: str
    jit: str
    sockets: str
    cards: tuple[Card, ...]
    looked_at: tuple[str, ...]


def bpf(survey: Survey, config: Kconfig | None) -> Bpf:
    """The capabilities as far as files tell them; no program is loaded.

    :param config: of the kernel, where it is known.
    """
    enabled = survey.text("proc/sys/net/core/bpf_jit_enable").strip()
    return Bpf(
        _symbol(config, "BPF_SYSCALL"),
        JIT.get(enabled, "not compiled in" if not enabled else f"unknown ({enabled})"),
        _symbol(config, "XDP_SOCKETS"),
        tuple(_cards(survey)),
        (
            "/proc/sys/net/core/bpf_jit_enable",
            "the kernel's configuration" if config else "no configuration of the kernel",
            "the names of the drivers, against a table of those with XDP of their own",
        ),
    )


def _symbol(config: Kconfig | None, name: str) -> str:
    if config is None:
        return "unknown"
    return "yes" if config.enabled(name) else "no"


def _cards(survey: Survey) -> Iterator[Card]:
    for name, device in devices(survey).items():
        if device.bus == "pci" and device.kind >> 16 == NETWORK:
            if device.driver is None or device.on_vfio:
                yield Card(name, device.driver, "unknown: no network driver has it")
            else:
                yield Card(name, device.driver, "native" if device.driver in NATIVE else "generic")
