"""The device path of a stick says where it is plugged: no stick is taken for another of the same
model and serial number (UEFI 2.10 section 10.3.4.5; lib/efi_loader/efi_device_path.c)."""

import pytest
from usb_names import as_seen, only

from ubtest.formats.devpath import END
from ubtest.formats.devpath_from_text import path_of
from ubtest.formats.devpath_text import parse_path, path_text
from ubtest.formats.loadopt import LoadOption
from ubtest.media.disk import esp
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import boot
from ubtest.uefi.handles import handles, option_paths
from ubtest.uefi.media_bus import BUSES
from ubtest.uefi.usb import bus_tree, disagreements, rescan, sticks, storage_numbers

pytestmark = pytest.mark.needs("usb-hotplug", "CMD_EFIDEBUG", *BUSES["stick"].needs)

HUBS = ("2", "2.3")  # the second hangs on the first
LAYOUTS = {
    "two": (),
    "four": (),
    "one hub": HUBS[:1],
    "two hubs": HUBS,
}
PORTS = {
    "two": ("1", "3"),
    "four": ("1", "2", "3", "4"),
    "one hub": ("1", "2.1", "2.8"),
    "two hubs": ("1", "2.1", "2.3.1", "2.3.2"),
}


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def packed(text):
    return b"".join(node.pack() for node in path_of(text))


def tables(found):
    """The last nodes of a stick's partitions: which stick it is."""
    return [str(path_of(each.path)[-1]) for each in found.partitions]


def partition_node(identity):
    made = esp(identity)
    sectors = made.last_lba - made.first_lba + 1
    return f"HD(1,GPT,{made.unique_guid},{made.first_lba:#x},{sectors:#x})"


@pytest.mark.known_bug("usb-paths-without-ports")
@pytest.mark.parametrize("layout", [slow("two"), slow("four"), slow("one hub"), "two hubs"])
def test_each_stick_has_the_path_of_its_port(board, stick, plug, usb, layout):
    for port in LAYOUTS[layout]:
        board.machine.plug("usb-hub", to="xhci", port=port)
    ports = PORTS[layout]
    for port in ports:
        plug(stick(port), port)
    uboot = usb()
    found = sticks(handles(uboot))
    assert {each.ports: tables(each) for each in found} == {
        as_seen(port): [partition_node(port)] for port in ports
    }
    assert len(found) == len(ports)
    assert len({each.controller for each in found}) == 1
    assert disagreements(uboot) == []
    assert [each.kind for each in bus_tree(uboot)].count("Mass Storage") == len(ports)


@pytest.mark.known_bug("usb-paths-without-controllers")
def test_sticks_on_one_port_of_two_controllers(board, stick, plug, usb):
    plug(stick("first"), "1")
    plug(stick("second"), "1", to=board.machine.plug("qemu-xhci"))
    uboot = usb()
    found = sticks(handles(uboot))
    assert [each.ports for each in found] == [(1,), (1,)]
    assert len({each.controller for each in found}) == 2
    assert disagreements(uboot) == []


def units(board, stick, count):
    """A stick with several units (LUNs)."""
    device = board.machine.plug("usb-bot", to="xhci", port="4")
    for number in range(count):
        board.machine.attach(stick(f"unit {number}"), "scsi", to=device, lun=number)


@pytest.mark.slow
@pytest.mark.known_bug("usb-paths-without-ports")
def test_each_unit_of_a_stick_has_a_path_of_its_own(board, stick, usb):
    units(board, stick, 3)
    found = sticks(handles(usb()))
    assert [str(each.nodes[-1]) for each in found] == ["Ctrl(0x0)", "Ctrl(0x1)", "Ctrl(0x2)"]
    assert {each.ports for each in found} == {(4,)}


@pytest.mark.slow
@pytest.mark.known_bug("usb-units-unreadable")
def test_each_unit_of_a_stick_can_be_read(board, stick, usb):
    units(board, stick, 2)
    uboot = usb()
    assert storage_numbers(uboot) == (0, 1)
    assert [len(each.partitions) for each in sticks(handles(uboot))] == [1, 1]
    for number in (0, 1):
        uboot.check(f"load usb {number}:1 {board.load_address:x} who.txt")
        words = uboot.check(f"md.b {board.load_address:x} 6").split()
        assert bytes.fromhex("".join(words[1:7])) == b"unit %d" % number


@pytest.mark.parametrize(("port", "hubs"), [("3", ()), slow("2.3.1", HUBS)])
def test_text_and_bytes_of_a_path_agree(board, stick, plug, usb, option, port, hubs):
    """What `dh` prints, what the probe was started with, in both forms, and what we make of it."""
    for hub in hubs:
        board.machine.plug("usb-hub", to="xhci", port=hub)
    orders = Orders()
    plug(stick(orders=orders), port)
    found = sticks(handles(usb()))
    assert [len(each.partitions) for each in found] == [1]
    partition = found[0].partitions[0]
    made = option(partition)
    tried = boot(board)
    assert tried.nonces() == [orders.nonce]
    facts = tried.facts
    assert facts.device == packed(partition.path) + END
    assert path_text(parse_path(facts.device)) == partition.path
    assert facts.path == made.path
    assert facts.text == path_text(parse_path(made.path))
    assert path_of(facts.text) == parse_path(facts.path)


@pytest.mark.slow
@pytest.mark.needs("auto-boot-options")
def test_the_options_that_the_firmware_makes_have_these_paths(board, stick, plug, usb):
    for port in ("1", "3"):
        plug(stick(port), port)
    uboot = usb()
    found = sticks(handles(uboot))
    texts = option_paths(uboot)
    assert sorted(texts.values()) == sorted(each.disk.path for each in found)
    for number, text in texts.items():
        stored = variables.read(uboot, f"Boot{number:04X}")
        assert LoadOption.parse(stored.data).path == packed(text) + END


def partition_in(uboot, port):
    """The partition of the stick in a port."""
    found = {each.ports: each.partitions for each in sticks(handles(uboot))}
    assert as_seen(port) in found
    return found[as_seen(port)][0]


class Twins:
    """Two sticks that differ in nothing but what the probe on each says: a stick and its copy."""

    def __init__(self, stick, plug, ports):
        self.orders = [Orders() for _ in ports]
        self.names = [
            plug(stick("original", orders, name=f"twin {port}"), port)
            for port, orders in zip(ports, self.orders, strict=True)
        ]


@pytest.mark.known_bug("usb-paths-without-ports")
@pytest.mark.parametrize("which", [slow(0), 1], ids=["first", "second"])
def test_an_option_for_one_stick_boots_that_one(board, stick, plug, usb, option, which):
    ports = ("1", "3")
    twins = Twins(stick, plug, ports)
    option(partition_in(usb(), ports[which]))
    assert boot(board).nonces() == [twins.orders[which].nonce]


@pytest.mark.known_bug("usb-paths-without-ports")
@pytest.mark.parametrize("which", [0, slow(1)], ids=["first", "second"])
def test_without_its_stick_the_copy_is_not_booted(board, machine, stick, plug, usb, option, which):
    ports = ("1", "3")
    twins = Twins(stick, plug, ports)
    uboot = usb()
    option(partition_in(uboot, ports[which]))
    board.machine.detach(twins.names[which])
    rescan(uboot)
    assert [each.ports for each in sticks(handles(uboot))] == [as_seen(ports[1 - which])]
    only(board)
    assert uboot.command(f"size usb 0:1 {machine.boot_path}").status == 0
    tried = boot(board)
    assert tried.nonces() == []
    assert tried.status != 0
