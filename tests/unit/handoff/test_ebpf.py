"""What is told about eBPF, and from where."""

from handoffs import OLD, PLAIN, edited, survey

from ubtest.firmware.config import Kconfig
from ubtest.handoff.bpf import bpf, symbols
from ubtest.handoff.survey import Survey


def test_cards_that_nobody_drives_have_the_module_that_would():
    cards = {each.name: each for each in bpf(survey(OLD)).cards}
    assert (cards["0000:00:10.0"].driver, cards["0000:00:10.0"].xdp) == ("e1000e", "generic")
    assert (cards["0000:00:11.0"].driver, cards["0000:00:11.0"].xdp) == ("virtio_pci", "native")
    assert not any(each.bound for each in cards.values())


def test_compiler_and_sockets():
    found = bpf(survey(OLD))
    assert (found.bpf, found.jit, found.sockets) == ("yes", "on", "yes")
    off = edited(OLD, "proc__sys__net__core__bpf_jit_enable", b"1", b"0").survey
    assert bpf(off).jit == "off"


def test_what_is_not_known_is_said():
    files = {**survey(PLAIN).files}
    for name in ("kernel/config", "net/modules", "proc/sys/net/core/bpf_jit_enable"):
        files.pop(name, None)
    found = bpf(Survey(files))
    assert (found.bpf, found.jit, found.sockets) == ("unknown", "not compiled in", "unknown")
    assert {each.xdp for each in found.cards} == {"unknown"}
    assert "no configuration of the kernel" in found.looked_at


def test_lines_of_the_configuration():
    config = Kconfig.parse("CONFIG_BPF_SYSCALL=y\n# CONFIG_XDP_SOCKETS is not set\n")
    assert symbols(config) == b"CONFIG_BPF_SYSCALL=y\nCONFIG_XDP_SOCKETS=n"
