"""A wire carries frames between a card's socket and its neighbour, and counts both ways."""

import socket

from ubtest.formats.ethernet import Neighbour
from ubtest.lab.wire import wire

NEIGHBOUR = Neighbour(bytes(6), bytes([10, 0, 2, 2]))
ASKS = bytes.fromhex("ffffffffffff 525400aabbcc 0806 0001 0800 06 04 0001 525400aabbcc 0a00020f")
ASKS += bytes(6) + NEIGHBOUR.address


def options(netdev):
    return dict(part.partition("=")[::2] for part in netdev.split(",")[1:])


def test_a_card_gets_its_answer_and_both_are_counted():
    with wire(NEIGHBOUR) as cable, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as card:
        ends = options(cable.netdev("cable"))
        card.bind(ends["local.path"])
        card.settimeout(10)
        card.sendto(b"to nobody", ends["remote.path"])
        card.sendto(ASKS, ends["remote.path"])
        answer = card.recv(2000)

    assert cable.heard == [b"to nobody", ASKS]
    assert answer[20:22] == b"\0\2"
    assert len(cable.said) <= 1


def test_a_card_that_is_gone_is_no_error():
    with wire(NEIGHBOUR) as cable, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as card:
        ends = options(cable.netdev("cable"))
        card.sendto(ASKS, ends["remote.path"])
        card.sendto(b"and on", ends["remote.path"])

    assert cable.heard == [ASKS, b"and on"]
    assert cable.said == []
