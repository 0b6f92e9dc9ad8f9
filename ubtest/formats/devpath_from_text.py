"""A device path read from its text (UEFI 2.10 section 10.6.1.6), as U-Boot writes it:
the way back from :mod:`ubtest.formats.devpath_text`."""

import re
from collections.abc import Callable
from struct import error as StructError
from struct import pack

from ubtest.formats.devpath_text import (
    ACPI,
    HARDWARE,
    MEDIA,
    MESSAGING,
    UART_PARITIES,
    UART_STOP_BITS,
    Node,
)
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

PNP = 0x41D0  # the three letters as an EISA ID packs them

# A name with its arguments, or the name of a file; an argument may have a slash, as a URI has
_NODE = re.compile(r"/(?P<name>[A-Za-z]+)\((?P<arguments>[^()]*)\)|/(?P<file>[^/]*)")


def path_of(text: str) -> tuple[Node, ...]:
    """The nodes of a path that is written as U-Boot writes it.

    What the text does not hold is as U-Boot has it: a GPT partition has format 2.

    :raises FormatError: a node of another form, or one that is not known.
    """
    nodes = []
    at = 0
    while at < len(text):
        found = _NODE.match(text, at)
        if found is None:
            raise FormatError(f"device path: {text[at:]!r} does not start with a slash")
        nodes.append(_node(found))
        at = found.end()
    return tuple(nodes)


def _node(found: re.Match[str]) -> Node:
    if found["file"] is not None:
        return Node(MEDIA, 4, (found["file"] + "\0").encode("utf-16-le"))
    if found["name"] not in NODES:
        raise FormatError(f"device path: the node {found['name']} is not known")
    try:
        return NODES[found["name"]](found["arguments"].split(","))
    except (StructError, ValueError, IndexError) as error:
        raise FormatError(f"device path: {found[0]!r}: {error}") from None


def _numbers(kind: int, subtype: int, layout: str) -> Callable[[list[str]], Node]:
    return lambda said: Node(kind, subtype, pack(layout, *(int(each, 0) for each in said)))


def _vendor(kind: int, subtype: int) -> Callable[[list[str]], Node]:
    def node(said: list[str]) -> Node:
        data = bytes.fromhex(said[1]) if said[1:] else b""
        return Node(kind, subtype, Guid.of(said[0]).wire + data)

    return node


def _acpi(said: list[str]) -> Node:
    return Node(ACPI, 1, pack("<HHI", PNP, int(said[0].removeprefix("PNP"), 16), int(said[1])))


def _uart(said: list[str]) -> Node:
    baud, bits, parity, stop = said
    numbers = UART_PARITIES.index(parity), UART_STOP_BITS.index(stop)
    return Node(MESSAGING, 14, pack("<IQBBB", 0, int(baud), int(bits), *numbers))


def _mac(said: list[str]) -> Node:
    return Node(MESSAGING, 11, bytes.fromhex(said[0]).ljust(32, b"\0") + pack("<B", int(said[1])))


def _nvme(said: list[str]) -> Node:
    identity = bytes.fromhex(said[1].replace("-", ""))[::-1]
    return Node(MESSAGING, 23, pack("<I8s", int(said[0], 0), identity))


def _hard_drive(said: list[str]) -> Node:
    number, form, signature, start, sectors = said
    if form == "GPT":
        tail = Guid.of(signature).wire + bytes((2, 2))
    elif form == "MBR":
        tail = pack("<I12xBB", int(signature, 0), 1, 1)
    else:
        tail = pack("<16xBB", int(form, 0), 0)
    return Node(MEDIA, 1, pack("<IQQ", int(number), int(start, 0), int(sectors, 0)) + tail)


NODES: dict[str, Callable[[list[str]], Node]] = {
    "MemoryMapped": _numbers(HARDWARE, 3, "<IQQ"),
    "VenHw": _vendor(HARDWARE, 4),
    "Ctrl": _numbers(HARDWARE, 5, "<I"),
    "Acpi": _acpi,
    "Ata": _numbers(MESSAGING, 1, "<BBH"),
    "Scsi": _numbers(MESSAGING, 2, "<HH"),
    "USB": _numbers(MESSAGING, 5, "<BB"),
    "MAC": _mac,
    "Uart": _uart,
    "UsbClass": _numbers(MESSAGING, 15, "<HHBBB"),
    "Sata": _numbers(MESSAGING, 18, "<HHH"),
    "NVMe": _nvme,
    "Uri": lambda said: Node(MESSAGING, 24, ",".join(said).encode()),
    "SD": _numbers(MESSAGING, 26, "<B"),
    "eMMC": _numbers(MESSAGING, 29, "<B"),
    "HD": _hard_drive,
    "CDROM": _numbers(MEDIA, 2, "<IQQ"),
    "VenMedia": _vendor(MEDIA, 3),
}
