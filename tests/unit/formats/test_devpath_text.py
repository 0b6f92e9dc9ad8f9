"""Device paths as text and as bytes: one says what the other does."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.devpath_from_text import NODES, path_of
from ubtest.formats.devpath_text import (
    ACPI,
    HARDWARE,
    MEDIA,
    MESSAGING,
    TEXTS,
    Node,
    parse_path,
    path_text,
)
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

# By hand, after sections 10.3.2.4, 10.3.4.5 and 10.3.2.5
STICK = (
    "/VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,7e00000001000000)"
    "/USB(0x0,0x0)/USB(0x6,0x0)/USB(0x3,0x0)/Ctrl(0x1)"
)
STICK_BYTES = bytes.fromhex(
    "01041c00b9731de684a3cc4aaeab82e828f3628b7e00000001000000"
    "030506000000 030506000600 030506000300 0105080001000000"
)
TEXT = [
    "/Acpi(PNP0A03,1)",
    "/Uart(0,0,D,D)",
    "/Uart(115200,8,N,1.5)",
    "/MAC(525400123456,1)",
    "/NVMe(0x1,00-00-00-00-00-00-00-01)",
    "/HD(1,GPT,ecbe524b-45f7-5f5c-b4f1-d3a02d064dcc,0x800,0x1f000)",
    "/HD(2,MBR,0x0badcafe,0x800,0x1f000)",
    "/HD(3,0x01,0,0x800,0x1f000)",
    "/CDROM(1,0x10,0x20)",
    "/Uri(http://host/a,b)",
    "/UsbClass(0x46f4,0x1,0x0,0x0,0x0)/\\EFI\\BOOT\\BOOTAA64.EFI",
    "",
]


def bodies(*numbers: str) -> st.SearchStrategy[bytes]:
    sizes = {"B": 1, "H": 2, "I": 4, "Q": 8}
    parts = [st.integers(0, 256 ** sizes[form] - 1) for form in numbers]
    return st.tuples(*parts).map(lambda values: pack("<" + "".join(numbers), *values))


def fixed(kind: int, subtype: int, layout: str) -> st.SearchStrategy[Node]:
    return bodies(*layout).map(lambda body: Node(kind, subtype, body))


WORDS = st.text(st.characters(codec="utf-16", exclude_characters="\0/()"), max_size=20)
nodes = st.one_of(
    fixed(HARDWARE, 3, "IQQ"),
    fixed(HARDWARE, 5, "I"),
    fixed(MESSAGING, 1, "BBH"),
    fixed(MESSAGING, 2, "HH"),
    fixed(MESSAGING, 5, "BB"),
    fixed(MESSAGING, 15, "HHBBB"),
    fixed(MESSAGING, 18, "HHH"),
    fixed(MESSAGING, 23, "IQ"),
    fixed(MESSAGING, 26, "B"),
    fixed(MESSAGING, 29, "B"),
    fixed(MEDIA, 2, "IQQ"),
    st.binary(min_size=16, max_size=40).map(lambda body: Node(HARDWARE, 4, body)),
    st.binary(min_size=16, max_size=40).map(lambda body: Node(MEDIA, 3, body)),
    st.builds(
        lambda number, start, size, guid: Node(
            MEDIA, 1, HardDrive(number, start, size, Guid(guid)).pack()
        ),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**64 - 1),
        st.binary(min_size=16, max_size=16),
    ),
    st.builds(
        lambda *numbers: Node(MESSAGING, 14, pack("<IQBBB", 0, *numbers)),
        st.integers(0, 2**64 - 1),
        st.integers(0, 255),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    st.builds(
        lambda *numbers: Node(MEDIA, 1, pack("<IQQI12xBB", *numbers, 1, 1)),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**32 - 1),
    ),
    st.binary(min_size=6, max_size=6).map(
        lambda address: Node(MESSAGING, 11, address.ljust(32, b"\0") + b"\1")
    ),
    bodies("H", "I").map(lambda body: Node(ACPI, 1, pack("<H", 0x41D0) + body)),
    WORDS.map(lambda name: parse_path(file_path("\\" + name) + END)[0]),
)


@given(st.lists(nodes, max_size=6).map(tuple))
def test_bytes_to_text_and_back(path: tuple[Node, ...]) -> None:
    assert path_of(path_text(path)) == path
    assert parse_path(b"".join(node.pack() for node in path) + END) == path


@pytest.mark.parametrize("text", TEXT)
def test_text_to_bytes_and_back(text: str) -> None:
    assert path_text(path_of(text)) == text


def test_what_u_boot_wrote_both_ways() -> None:
    assert b"".join(node.pack() for node in path_of(STICK)) == STICK_BYTES
    assert path_text(parse_path(STICK_BYTES + END)) == STICK


def test_the_nodes_that_we_make_ourselves_are_the_same() -> None:
    drive = HardDrive(1, 0x800, 0x1F000, Guid.of("ecbe524b-45f7-5f5c-b4f1-d3a02d064dcc"))
    text = "/HD(1,GPT,ecbe524b-45f7-5f5c-b4f1-d3a02d064dcc,0x800,0x1f000)/\\A.EFI"
    assert b"".join(node.pack() for node in path_of(text)) == (
        hard_drive(drive) + file_path("\\A.EFI")
    )


def test_each_kind_that_is_written_is_read() -> None:
    """A file has no name in front of its text, hence one less."""
    assert len(NODES) == len(TEXTS) - 1


@pytest.mark.parametrize(
    "text",
    ["USB(0x1,0x0)", "/USB(0x1)", "/USB(0x100,0x0)", "/USB(port,0)", "/Bus(1)", "/HD(1,GPT)"],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="device path"):
        path_of(text)
