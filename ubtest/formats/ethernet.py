"""Ethernet frames, as far as a neighbour needs them who answers ARP and ping (RFC 826, 792)."""

import struct
from dataclasses import dataclass

ARP, IPV4 = b"\x08\x06", b"\x08\x00"
_ASKS, _ANSWERS = b"\0\1", b"\0\2"
_ICMP, _ECHO = 1, 8


@dataclass(frozen=True)
class Neighbour:
    """A host on the wire.

    :param mac: six bytes.
    :param address: IPv4, four bytes.
    """

    mac: bytes
    address: bytes

    def answer(self, frame: bytes) -> bytes | None:
        """What it sends back to a frame; None when it has nothing to say."""
        if frame[12:14] == ARP:
            return self._arp(frame)
        if frame[12:14] == IPV4:
            return self._echo(frame)
        return None

    def _arp(self, frame: bytes) -> bytes | None:
        if frame[20:22] != _ASKS or frame[38:42] != self.address or len(frame) < 42:
            return None
        asker = frame[22:32]  # its hardware address, its IPv4 address
        return asker[:6] + self.mac + frame[12:20] + _ANSWERS + self.mac + self.address + asker

    def _echo(self, frame: bytes) -> bytes | None:
        """A ping of an IPv4 header without options, as every ping is."""
        end = 14 + int.from_bytes(frame[16:18], "big")  # what follows is the padding of a short one
        if frame[14:15] != b"\x45" or not 42 <= end <= len(frame) or frame[23] != _ICMP:
            return None
        if frame[34] != _ECHO or frame[30:34] != self.address:
            return None
        body = b"\0\0\0\0" + frame[38:end]
        message = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        return frame[6:12] + self.mac + frame[12:26] + frame[30:34] + frame[26:30] + message


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
