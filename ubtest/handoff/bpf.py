"""What the target's kernel can do with eBPF: its compiler, and XDP for each network card."""

from collections.abc import Iterator
from dataclasses import dataclass

from ubtest.firmware.config import Kconfig
from ubtest.handoff.devices import devices
from ubtest.handoff.survey import Survey
from ubtest.handoff.target_side import CARDS

NETWORK = 0x02  # PCI class
SYMBOLS = "kernel/config"
# Drivers of Debian's arm64 kernels 6.1 and 6.12 whose modules call bpf_warn_invalid_xdp_action(),
# as each with XDP of its own does; for others the network stack runs the programs, slower. A virtio
# card on PCI has virtio-pci as its driver, with virtio_net behind it
NATIVE = frozenset(
    {
        "atlantic", "bnxt_en", "ena", "fsl_dpaa2_eth", "fsl_enetc", "fsl_enetc_vf", "i40e", "ice",
        "igb", "igc", "ixgbe", "ixgbevf", "mana", "mlx4_core", "mlx5_core", "mvneta", "mvpp2",
        "netsec", "nfp", "nicvf", "qede", "sfc", "stmmac", "virtio_net", "virtio_pci",
    }
)  # fmt: skip
JIT = {"0": "off", "1": "on", "2": "on, with debugging"}


@dataclass(frozen=True)
class Card:
    """One network card.

    :param driver: the driver that has it, or the module that would; None when there is none.
    :param bound: a driver has it.
    :param xdp: "native", "generic" or "unknown".
    """

    name: str
    driver: str | None
    bound: bool
    xdp: str


@dataclass(frozen=True)
class Bpf:
    """:param looked_at: where each answer comes from."""

    bpf: str
    jit: str
    sockets: str
    cards: tuple[Card, ...]
    looked_at: tuple[str, ...]


def bpf(survey: Survey) -> Bpf:
    """The capabilities as far as files tell them; no program is loaded."""
    enabled = survey.text("proc/sys/net/core/bpf_jit_enable").strip()
    told = SYMBOLS in survey.files
    config = Kconfig.parse(survey.text(SYMBOLS), SYMBOLS)
    return Bpf(
        _symbol(config, told, "BPF_SYSCALL"),
        JIT.get(enabled, "not compiled in" if not enabled else f"unknown ({enabled})"),
        _symbol(config, told, "XDP_SOCKETS"),
        tuple(_cards(survey)),
        (
            "/proc/sys/net/core/bpf_jit_enable",
            "the kernel's configuration" if told else "no configuration of the kernel",
            "names of drivers and modules, against a table of those with XDP of their own",
        ),
    )


def symbols(config: Kconfig) -> bytes:
    """The lines of a kernel's configuration that :func:`bpf` wants, as a file of a survey."""
    lines = (f"CONFIG_{name}={config.get(name) or 'n'}" for name in ("BPF_SYSCALL", "XDP_SOCKETS"))
    return "\n".join(lines).encode()


def _symbol(config: Kconfig, told: bool, name: str) -> str:
    return ("yes" if config.enabled(name) else "no") if told else "unknown"


def _cards(survey: Survey) -> Iterator[Card]:
    modules = dict(_modules(survey))
    for name, device in devices(survey).items():
        if device.bus == "pci" and device.kind >> 16 == NETWORK:
            bound = device.driver is not None and not device.on_vfio
            driver = device.driver if bound else modules.get(name)
            xdp = (
                "unknown"
                if not driver
                else "native"
                if driver.replace("-", "_") in NATIVE
                else "generic"
            )
            yield Card(name, driver, bound, xdp)


def _modules(survey: Survey) -> Iterator[tuple[str, str]]:
    """What `modprobe -D` would load last for each card: "insmod /lib/.../e1000e.ko"."""
    for line in survey.lines(CARDS):
        name, *words = line.split()
        file = next((word for word in words if ".ko" in word), "")
        if file:
            yield name, file.rpartition("/")[2].partition(".ko")[0].replace("-", "_")
