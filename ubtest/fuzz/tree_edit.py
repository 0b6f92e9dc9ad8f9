"""Named edits of one node of a signature's DER; lengths around it follow, unless told not to."""

from collections.abc import Callable

from ubtest.fuzz.tlv import Node

# Lengths that no honest writer produces, or none of DER (X.690 section 10.1)
LENGTHS = tuple(
    bytes.fromhex(text)
    for text in (
        *("00", "01", "7f", "80", "81", "8100", "8180", "81ff", "820000", "82ffff", "83ffffff"),
        *("8400000000", "847fffffff", "8480000000", "84ffffffff", "88ffffffffffffffff", "ff"),
    )
)
TAGS = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x17, 0x18, 0x30, 0x31, 0xA0, 0xA1, 0x1F)
INTEGERS = tuple(bytes.fromhex(t) for t in ("00", "80", "ff", "7fffffff", "ff" * 9, "00" * 4))


def _flip(data: bytes, bit: int) -> bytes:
    if not data:
        return data
    at = bit // 8 % len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def _tag(node: Node, arg: int) -> None:
    node.tag = bytes([TAGS[arg % len(TAGS)]])


def _constructed(node: Node, arg: int) -> None:
    node.tag = bytes([node.tag[0] ^ 0x20])


def _length(node: Node, arg: int) -> None:
    node.length = LENGTHS[arg % len(LENGTHS)]


def _off_by(node: Node, arg: int) -> None:
    size = max(0, len(node.body) + arg % 9 - 4)
    node.length = bytes([0x82]) + (size & 0xFFFF).to_bytes(2, "big")


def _long_form(node: Node, arg: int) -> None:
    node.length = bytes([0x84]) + len(node.body).to_bytes(4, "big")


def _indefinite(node: Node, arg: int) -> None:
    body = node.body
    node.become(body + bytes(2))
    node.length = b"\x80"


def _integer(node: Node, arg: int) -> None:
    node.become(INTEGERS[arg % len(INTEGERS)])


def _copies(count: int) -> Callable[[Node, int], None]:
    def edit(node: Node, arg: int) -> None:
        node.copies = count

    return edit


def _many(node: Node, arg: int) -> None:
    node.copies = 2 << arg % 5


def _nest(node: Node, arg: int) -> None:
    node.wrappers += [b"\x30"] * (1 << arg % 7)


def _swap(node: Node, arg: int) -> None:
    if node.children:
        node.children.reverse()


# name -> what it does to a node; the number decides between its variants
TREE: dict[str, Callable[[Node, int], None]] = {
    "tag": _tag,
    "tag constructed bit": _constructed,
    "length": _length,
    "length off by": _off_by,
    "length in long form": _long_form,
    "length indefinite": _indefinite,
    "value bit": lambda node, arg: node.become(_flip(node.body, arg)),
    "value zero": lambda node, arg: node.become(bytes(len(node.body))),
    "value ones": lambda node, arg: node.become(b"\xff" * len(node.body)),
    "value empty": lambda node, arg: node.become(b""),
    "value cut": lambda node, arg: node.become(node.body[: arg % (len(node.body) + 1)]),
    "value longer": lambda node, arg: node.become(node.body + bytes(1 << arg % 9)),
    "value integer": _integer,
    "leave away": _copies(0),
    "twice": _copies(2),
    "many times": _many,
    "nest": _nest,
    "reverse parts": _swap,
}
