"""Device paths as text, against what U-Boot printed on QEMU."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.devpath_text import Node, parse_path, path_text
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

GUID = "08028bba-aeda-538b-865a-25af3781c222"
ROOT = bytes.fromhex("01041c00b9731de684a3cc4aaeab82e828f3628b0000000000000000")
DISK = ROOT + hard_drive(HardDrive(1, 0x800, 0x1F000, Guid.of(GUID)))


def test_as_u_boot_writes_it() -> None:
    path = DISK + file_path("\\EFI\\BOOT\\BOOTAA64.EFI") + END
    assert path_text(parse_path(path)) == (
        "/VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,0000000000000000)"
        f"/HD(1,GPT,{GUID},0x800,0x1f000)/\\EFI\\BOOT\\BOOTAA64.EFI"
    )


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Node(3, 5, b"\x01\x02"), "USB(0x1,0x2)"),
        (Node(3, 15, bytes.fromhex("f4460100000000")), "UsbClass(0x46f4,0x1,0x0,0x0,0x0)"),
        (Node(1, 5, b"\x03\0\0\0"), "Ctrl(0x3)"),
        (Node(3, 2, b"\x01\0\x02\0"), "Scsi(1,2)"),
        (Node(3, 26, b"\x01"), "SD(1)"),
        (Node(3, 23, b"\x01\0\0\0" + bytes(range(8))), "NVMe(0x1,07-06-05-04-03-02-01-00)"),
        (Node(2, 1, bytes.fromhex("d041030a00000000")), "Acpi(PNP0A03,0)"),
        (Node(4, 2, bytes(20)), "CDROM(0,0x0,0x0)"),
        (Node(4, 1, bytes(3)), "Path(4,1,000000)"),
        (Node(9, 9, b"\xab"), "Path(9,9,ab)"),
    ],
)
def test_nodes(node: Node, text: str) -> None:
    assert str(node) == text
    assert parse_path(node.pack() + END) == (node,)


@given(st.binary(max_size=80))
def test_any_bytes_give_nodes_or_a_message(data: bytes) -> None:
    try:
        nodes = parse_path(data)
    except FormatError:
        return
    assert b"".join(node.pack() for node in nodes) + END == data
    assert path_text(nodes) is not None


@pytest.mark.parametrize("data", [b"", END[:3], DISK, DISK + END + b"x", b"\x01\x04\x03\x00" + END])
def test_no_path(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_path(data)
