"""Sticks come and go while the firmware runs: what EFI knows of them comes and goes with them."""

import re
import time

import pytest

from ubtest.probe.facts import parse_facts
from ubtest.probe.orders import Orders
from ubtest.uefi import driver_model
from ubtest.uefi.bootmenu import BootMenu
from ubtest.uefi.handles import handles
from ubtest.uefi.media_bus import BUSES
from ubtest.uefi.menu import CTRL_C, DOWN, ENTER, entries
from ubtest.uefi.usb import bus_tree, disagreements, rescan, sticks, storage_numbers

pytestmark = pytest.mark.needs("usb-hotplug", "CMD_EFIDEBUG", *BUSES["stick"].needs)

CYCLES = 50
PAGE = 4096
# A handle with every part of a stick's partition (UEFI 2.10 sections 13.4 and 13.9)
PARTITION = {"Block IO", "Simple File System"}
_MEMORY = re.compile(r"^(?!CONVENTIONAL)[A-Z ]+ ([0-9a-f]{16})-([0-9a-f]{16}) ", re.MULTILINE)


def known(uboot):
    """All that the firmware has: every handle with its protocols, every bound device."""
    model = driver_model.devices(uboot)
    return (
        sorted((each.path, each.device, sorted(each.protocols)) for each in handles(uboot)),
        [(each.depth, each.driver, each.name) for each in model],
    )


def used_pages(uboot):
    """How much memory EFI has handed out."""
    spans = _MEMORY.findall(uboot.check("efidebug memmap"))
    assert spans
    return sum(int(end, 16) - int(start, 16) for start, end in spans) // PAGE


def content(board, number=0):
    """What is in who.txt of a stick."""
    uboot = board.uboot
    uboot.check(f"load usb {number}:1 {board.load_address:x} who.txt")
    size = int(uboot.check("echo $filesize"), 16)
    words = uboot.check(f"md.b {board.load_address:x} {size:x}").split()
    return bytes.fromhex("".join(words[1 : 1 + size])).decode()


def one_stick(board, identity):
    """There is one stick, this one, whole and readable, and everybody agrees about it."""
    found = sticks(handles(board.uboot))
    assert len(found) == 1
    one = found[0]
    assert len(one.partitions) == 1
    partition = one.partitions[0]
    assert "Block IO" in one.disk.protocols
    assert partition.protocols >= PARTITION
    assert partition.system
    assert disagreements(board.uboot) == []
    assert storage_numbers(board.uboot) == (0,)
    assert content(board) == identity
    return one


def no_stick(board):
    """No stick is left, in none of the places."""
    uboot = board.uboot
    assert sticks(handles(uboot)) == ()
    assert disagreements(uboot) == []
    assert storage_numbers(uboot) == ()
    assert uboot.command("part list usb 0").status != 0


def test_a_stick_comes_and_goes_at_the_prompt(board, stick, plug, usb):
    uboot = usb()
    before = known(uboot)
    name = plug(stick("stick"), "3")
    assert known(uboot) == before  # nothing happens by itself
    rescan(uboot)
    one_stick(board, "stick")
    board.machine.detach(name)
    rescan(uboot)
    no_stick(board)
    assert known(uboot) == before


def test_stop_and_start(board, stick, plug, usb):
    plug(stick("stick"), "3")
    uboot = usb()
    before = known(uboot)
    uboot.check("usb stop", timeout=30)
    no_stick(board)
    uboot.check("usb start", timeout=30)
    assert known(uboot) == before
    assert content(board) == "stick"


@pytest.mark.slow
@pytest.mark.known_bug("usb-paths-without-ports")
def test_of_two_sticks_one_goes(board, stick, plug, usb):
    name = plug(stick("first"), "1")
    plug(stick("second"), "3")
    uboot = usb()
    assert len(sticks(handles(uboot))) == 2
    board.machine.detach(name)
    rescan(uboot)
    assert one_stick(board, "second").ports == (3,)


@pytest.mark.slow
@pytest.mark.known_bug("usb-paths-without-ports")
def test_a_stick_moves_to_another_port(board, stick, plug, usb):
    disk = stick("stick")
    name = plug(disk, "1")
    uboot = usb()
    assert one_stick(board, "stick").ports == (1,)
    board.machine.detach(name)
    plug(disk, "4")
    rescan(uboot)
    assert one_stick(board, "stick").ports == (4,)


@pytest.mark.slow
def test_another_stick_in_the_same_port(board, stick, plug, usb):
    name = plug(stick("first"), "1")
    uboot = usb()
    one_stick(board, "first")
    board.machine.detach(name)
    plug(stick("second"), "1")
    rescan(uboot)
    one_stick(board, "second")


@pytest.mark.slow
def test_a_hub_comes_and_goes_with_its_stick(board, stick, plug, usb):
    uboot = usb()
    before = known(uboot)
    hub = board.machine.plug("usb-hub", to="xhci", port="2")
    name = plug(stick("stick"), "2.3")
    rescan(uboot)
    one_stick(board, "stick")
    assert [each.kind for each in bus_tree(uboot)] == ["Hub", "Hub", "Mass Storage"]
    board.machine.detach(name)
    board.machine.detach(hub)
    rescan(uboot)
    no_stick(board)
    assert known(uboot) == before


@pytest.mark.slow
def test_a_stick_of_another_protocol_is_no_disk(board, stick, usb):
    """UAS alone, without the bulk-only transport that U-Boot has (common/usb_storage.c)."""
    device = board.machine.plug("usb-uas", to="xhci", port="3")
    board.machine.attach(stick("stick"), "scsi", to=device, lun=0)
    uboot = usb()
    assert [each.kind for each in bus_tree(uboot)] == ["Hub", "Mass Storage"]
    no_stick(board)


@pytest.mark.slow
@pytest.mark.needs("CMD_BOOTMENU")
def test_inside_the_boot_menu(board, firmware, stick, plug, usb):
    """The menu goes on with what it has; the stick is found, or gone, when it is looked for."""
    uboot = usb(icount=None)
    before = known(uboot)
    with BootMenu(uboot) as menu:
        first = menu.expect(entries, "entries")
        name = plug(stick("stick"), "3")
        leave(menu, first)
    assert known(uboot) == before
    rescan(uboot)
    one_stick(board, "stick")
    with BootMenu(uboot) as menu:
        first = menu.expect(entries, "entries")
        if firmware.traits.auto_boot_options:
            assert "usb 0" in entries(first)
        board.machine.detach(name)
        leave(menu, first)
    rescan(uboot)
    no_stick(board)
    assert known(uboot) == before


def leave(menu, first):
    """The menu still listens to keys, and shows what it showed before."""
    assert entries(first)
    menu.press(DOWN)
    page = menu.highlights(entries(first)[min(1, len(entries(first)) - 1)])
    assert entries(page) == entries(first)
    menu.press(CTRL_C)
    menu.reply()


# U-Boot gives each transfer 5 s, and tries again and again: minutes of its time are seconds here.
# Its countdown of 2 s is still a tenth of one, time enough to stop it
MINUTES_PASS = 7


def patience(uboot):
    """How long the host waits for 20 s of U-Boot's time: four transfers in vain."""
    started = time.monotonic()
    uboot.check("sleep 5", timeout=30)
    return 4 * (time.monotonic() - started)


@pytest.mark.slow
@pytest.mark.known_bug("usb-pulled-stick-hangs")
def test_reading_a_stick_that_was_pulled_fails(board, stick, plug, usb):
    name = plug(stick("stick"), "3")
    uboot = usb(icount=MINUTES_PASS)
    assert content(board) == "stick"
    enough = patience(uboot)
    board.machine.detach(name)
    reply = uboot.command(f"load usb 0:1 {board.load_address:x} who.txt", timeout=enough)
    assert reply.status != 0


@pytest.mark.slow
@pytest.mark.needs("CMD_BOOTMENU", "CMD_EFICONFIG", "CMD_BOOTEFI_BOOTMGR")
@pytest.mark.parametrize(
    "pulled", [False, pytest.param(True, marks=pytest.mark.known_bug("usb-pulled-stick-hangs"))]
)
def test_the_entry_of_a_stick_that_is_chosen_in_the_boot_menu(
    board, stick, plug, usb, option, pulled
):
    """Pulled while the menu shows it, its entry fails and the prompt is back; else it boots."""
    orders = Orders()
    name = plug(stick(orders=orders), "3")
    uboot = usb(icount=MINUTES_PASS)
    option(sticks(handles(uboot))[0].partitions[0])
    enough = patience(uboot)
    with BootMenu(uboot) as menu:
        menu.highlights("one stick")
        if pulled:
            board.machine.detach(name)
        menu.press(ENTER)
        reply = menu.reply(timeout=enough)
    assert [facts.nonce for facts in parse_facts(reply.text)] == [orders.nonce] * (not pulled)
    if pulled:
        rescan(uboot)
        no_stick(board)


@pytest.mark.slow
def test_fifty_cycles_leave_nothing_behind(board, stick, plug, usb):
    uboot = usb()
    disk = stick("stick")
    empty = known(uboot)
    full = None
    for cycle in range(CYCLES):
        name = plug(disk, "3")
        rescan(uboot)
        now = known(uboot)
        if full is None:
            full = now
            assert len(sticks(handles(uboot))) == 1
        assert now == full, f"with the stick, cycle {cycle}"
        board.machine.detach(name)
        rescan(uboot)
        assert known(uboot) == empty, f"without the stick, cycle {cycle}"
    no_stick(board)


@pytest.mark.slow
@pytest.mark.known_bug("usb-scan-takes-memory")
def test_looking_again_takes_no_memory(board, stick, plug, usb, results):
    plug(stick("stick"), "3")
    uboot = usb()
    rescan(uboot)
    assert len({used_pages(uboot) for _ in range(5)}) == 1  # looking takes none
    used = [used_pages(uboot)]
    for _ in range(10):
        rescan(uboot)
        used.append(used_pages(uboot))
    results.note("pages", " ".join(map(str, used)))
    assert used == used[:1] * 11
