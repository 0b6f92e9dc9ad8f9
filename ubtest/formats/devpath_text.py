"""A device path taken apart and written as text (UEFI 2.10 sections 10.3 and 10.6.1.6)."""

from collections.abc import Callable
from dataclasses import dataclass
from struct import error as StructError
from struct import unpack_from

from ubtest.formats.devpath import PathNode
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError, take

HARDWARE, ACPI, MESSAGING, MEDIA, END_TYPE = 1, 2, 3, 4, 0x7F
END_ENTIRE, END_INSTANCE = 0xFF, 0x01
MOST_NODES = 256
UART_PARITIES = "DNEOMS"  # section 10.3.4.13
UART_STOP_BITS = ("D", "1", "1.5", "2")


@dataclass(frozen=True)
class Node:
    """One node.

    :param body: what follows its four bytes of header.
    """

    kind: int
    subtype: int
    body: bytes

    def pack(self) -> bytes:
        return (
            PathNode(self.kind, self.subtype, PathNode.size() + len(self.body)).pack() + self.body
        )

    def __str__(self) -> str:
        """As the specification writes it, with the letters that U-Boot uses."""
        written = TEXTS.get((self.kind, self.subtype))
        try:
            if written:
                return written(self.body)
        except (StructError, FormatError, UnicodeDecodeError, IndexError):
            pass  # a body of the wrong size: shown as it is
        return f"Path({self.kind},{self.subtype},{self.body.hex()})"


def parse_path(data: bytes) -> tuple[Node, ...]:
    """The nodes of a path up to its end node, which must be there.

    :raises FormatError: a node's length leads nowhere, or the path has no end.
    """
    nodes: list[Node] = []
    at = 0
    for _ in range(MOST_NODES):
        head = PathNode.parse(data, at)
        size = head.length - PathNode.size()
        body = take(data, at + PathNode.size(), size, "EFI_DEVICE_PATH_PROTOCOL: node")
        if (head.kind, head.subtype) == (END_TYPE, END_ENTIRE):
            if at + head.length != len(data):
                raise FormatError(
                    f"device path: {len(data) - at - head.length} bytes follow its end"
                )
            return tuple(nodes)
        nodes.append(Node(head.kind, head.subtype, body))
        at += head.length
    raise FormatError(f"device path: has more than {MOST_NODES} nodes")


def path_text(nodes: tuple[Node, ...]) -> str:
    """The path as text, each node with a slash in front, as U-Boot writes it."""
    return "".join(f"/{node}" for node in nodes)


def _vendor(name: str) -> Callable[[bytes], str]:
    def text(body: bytes) -> str:
        data = f",{body[16:].hex()}" if body[16:] else ""
        return f"{name}({Guid(body[:16])}{data})"

    return text


def _numbers(name: str, layout: str, form: str) -> Callable[[bytes], str]:
    return lambda body: f"{name}({form.format(*unpack_from(layout, body))})"


def _acpi(body: bytes) -> str:
    hid, uid = unpack_from("<II", body)
    return f"Acpi(PNP{hid >> 16:04X},{uid})"


def _mac(body: bytes) -> str:
    kind = body[32]
    return f"MAC({body[: 6 if kind <= 1 else 32].hex()},{kind})"


def _uart(body: bytes) -> str:
    _, baud, bits, parity, stop = unpack_from("<IQBBB", body)
    return f"Uart({baud},{bits},{UART_PARITIES[parity]},{UART_STOP_BITS[stop]})"


def _nvme(body: bytes) -> str:
    namespace, *identity = unpack_from("<I8B", body)
    return f"NVMe({namespace:#x},{'-'.join(f'{byte:02x}' for byte in reversed(identity))})"


def _hard_drive(body: bytes) -> str:
    number, start, sectors = unpack_from("<IQQ", body)
    form, signature_type = body[36], body[37]
    place = f"{start:#x},{sectors:#x}"
    if signature_type == 2:
        return f"HD({number},GPT,{Guid(body[20:36])},{place})"
    if signature_type == 1:
        return f"HD({number},MBR,{unpack_from('<I', body, 20)[0]:#010x},{place})"
    return f"HD({number},{form:#04x},0,{place})"


def _file(body: bytes) -> str:
    return body.decode("utf-16-le").partition("\0")[0]


TEXTS: dict[tuple[int, int], Callable[[bytes], str]] = {
    (HARDWARE, 3): _numbers("MemoryMapped", "<IQQ", "{:#x},{:#x},{:#x}"),
    (HARDWARE, 4): _vendor("VenHw"),
    (HARDWARE, 5): _numbers("Ctrl", "<I", "{:#x}"),
    (ACPI, 1): _acpi,
    (MESSAGING, 1): _numbers("Ata", "<BBH", "{},{},{}"),
    (MESSAGING, 2): _numbers("Scsi", "<HH", "{},{}"),
    (MESSAGING, 5): _numbers("USB", "<BB", "{:#x},{:#x}"),
    (MESSAGING, 11): _mac,
    (MESSAGING, 14): _uart,
    (MESSAGING, 15): _numbers("UsbClass", "<HHBBB", "{:#x},{:#x},{:#x},{:#x},{:#x}"),
    (MESSAGING, 18): _numbers("Sata", "<HHH", "{:#x},{:#x},{:#x}"),
    (MESSAGING, 23): _nvme,
    (MESSAGING, 24): lambda body: f"Uri({body.decode('utf-8')})",
    (MESSAGING, 26): _numbers("SD", "<B", "{}"),
    (MESSAGING, 29): _numbers("eMMC", "<B", "{}"),
    (MEDIA, 1): _hard_drive,
    (MEDIA, 2): _numbers("CDROM", "<IQQ", "{},{:#x},{:#x}"),
    (MEDIA, 3): _vendor("VenMedia"),
    (MEDIA, 4): _file,
}
