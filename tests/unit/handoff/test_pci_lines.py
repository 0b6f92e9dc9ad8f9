"""What kernels print of BARs, and configuration headers as bytes."""

import struct

from ubtest.handoff.pci import Function, scanned

NEW = "[    1.7] pci 0000:00:14.0: BAR 0 [mem 0x10020000-0x1003ffff]\n"
OLD = "[    1.7] pci 0000:00:14.0: reg 0x10: [mem 0x10020000-0x1003ffff]\n"
WIDE = "[    1.8] pci 0000:00:15.0: BAR 4 [mem 0x100c4000-0x100c7fff 64bit pref]\n"
IO = "[    1.8] pci 0000:00:15.0: BAR 0 [io  0x1020-0x103f]\n"
ROM = "[    1.8] pci 0000:00:14.0: ROM [mem 0x10080000-0x100bffff pref]\n"
MOVED = "[    1.9] pci 0000:00:14.0: BAR 0 [mem 0x10180000-0x1019ffff]: assigned\n"


def test_bars_as_they_were_before_the_kernel_moved_them():
    expected = {"0000:00:14.0": {0: 0x10020000}, "0000:00:15.0": {4: 0x100C4000, 0: 0x1020}}
    assert scanned(NEW + WIDE + IO + ROM + MOVED) == expected
    assert scanned(OLD + WIDE + IO + ROM + MOVED) == expected


def header(*bars: int, kind: int = 0, buses: bytes = b"", capability: bytes = b"") -> Function:
    config = bytearray(0x100)
    struct.pack_into("<HHH", config, 0, 0x8086, 0x10D3, 6)
    config[0x0E] = kind
    struct.pack_into(f"<{len(bars)}I", config, 0x10, *bars)
    config[0x18 : 0x18 + len(buses)] = buses or config[0x18:0x18]
    if capability:
        config[0x34] = 0x40
        config[0x40 : 0x40 + len(capability)] = capability
    return Function("0000:00:14.0", bytes(config))


def test_headers():
    found = header(0x10020000, 0x00001001, 0x100C400C, 0x80, 0, 0)
    assert found.identity == "8086:10d3"
    assert found.masters and not found.is_bridge and found.buses == ()
    assert found.bars == {0: 0x10020000, 1: 0x1000, 2: 0x80100C4000}


def test_bridges_have_buses_and_two_bars():
    found = header(0x10208000, kind=0x81, buses=b"\0\1\3")
    assert (found.is_bridge, found.buses, found.bars) == (True, (0, 1, 3), {0: 0x10208000})


def test_interrupts_that_are_on_or_off():
    assert header(capability=b"\x05\x00\x81\x00").interrupts == {"MSI": True}
    assert header(capability=b"\x11\x48\x00\x00\0\0\0\0\x05\x00\x80\x00").interrupts == {
        "MSI-X": False,
        "MSI": False,
    }
    assert header(capability=b"\x01\x40\x00\x00").interrupts == {}  # its own successor
