"""The neighbour on a wire: what it answers, and what it leaves alone."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.ethernet import Neighbour, checksum

MAC, ADDRESS = bytes.fromhex("525400ddeeff"), bytes([10, 0, 2, 2])
ASKER, FROM = bytes.fromhex("525400aabbcc"), bytes([10, 0, 2, 15])
NEIGHBOUR = Neighbour(MAC, ADDRESS)

ARP = b"\xff" * 6 + ASKER + bytes.fromhex("0806 0001 0800 06 04 0001") + ASKER + FROM
ARP += bytes(6) + ADDRESS


def ping(payload: bytes, kind: int = 8, to: bytes = ADDRESS) -> bytes:
    body = struct.pack(">BBHHH", kind, 0, 0, 0x1234, 7) + payload
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0) + FROM + to
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    return MAC + ASKER + b"\x08\0" + header + body


def test_who_asks_for_its_address_gets_its_mac():
    answer = NEIGHBOUR.answer(ARP)
    assert answer == (
        ASKER + MAC + bytes.fromhex("0806 0001 0800 06 04 0002") + MAC + ADDRESS + ASKER + FROM
    )
    assert replace(NEIGHBOUR, address=FROM).answer(ARP) is None


@given(st.binary(max_size=1400))
def test_a_ping_comes_back_with_its_payload_and_good_checksums(payload):
    frame = ping(payload)
    answer = NEIGHBOUR.answer(frame + bytes(max(0, 60 - len(frame))))

    assert answer is not None and len(answer) == len(frame)
    assert answer[:12] == ASKER + MAC
    assert answer[26:34] == ADDRESS + FROM
    assert checksum(answer[14:34]) == 0, "of the IPv4 header"
    assert checksum(answer[34:]) == 0, "of the message"
    assert (answer[34], answer[38:]) == (0, frame[38:])


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        ARP[:30],
        ping(b"x")[:30],
        ping(b"x", kind=0),
        ping(b"x", to=FROM),
        MAC + ASKER + b"\x86\xdd" + bytes(60),
    ],
)
def test_it_has_nothing_to_say_to_anything_else(frame):
    assert NEIGHBOUR.answer(frame) is None


@given(st.binary(max_size=100))
def test_no_frame_breaks_it(frame):
    NEIGHBOUR.answer(frame)
    NEIGHBOUR.answer(frame[:12] + b"\x08\x06" + frame[12:])
    NEIGHBOUR.answer(frame[:12] + b"\x08\x00\x45" + frame[12:])
