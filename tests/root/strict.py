"""A strict reader of what an access concentrator puts on the wire for one session: it forgives nothing.

Written from the RFCs, without a line of the engine's or of the eBPF program: a mirror would hide mistakes.
"""

from __future__ import annotations

from typing import NamedTuple

ETHERNET, PPPOE, PROTOCOL = 14, 6, 2
SHORTEST_FRAME = 60
TCP, UDP, ICMP = 6, 17, 1
REDIRECT = 5
_MORE_OR_LATER = 0x3FFF


class Line(NamedTuple):
    """A session as its subscriber knows it; ``mtu`` is the largest packet in octets."""

    mac: bytes
    ac_mac: bytes
    session_id: int
    address: bytes
    mtu: int


class WrongError(Exception):
    """The frame is not as it must be."""


def packet_in(frame: bytes, line: Line) -> bytes:
    """The IPv4 packet in a data frame of this session. Raises ``WrongError`` for whatever is not right."""
    expect(frame[:6] == line.mac, "the destination is another station")
    expect(frame[6:12] == line.ac_mac, "the source is not the access concentrator")
    expect(frame[12:14] == b"\x88\x64", "the EtherType is not PPPoE session")
    expect(frame[14:16] == b"\x11\x00", "version, type or code is wrong")  # RFC 2516 section 4
    expect(number(frame, 16) == line.session_id, "it is another's session")
    length = number(frame, 18)
    end = ETHERNET + PPPOE + length
    expect(len(frame) >= SHORTEST_FRAME, "the frame is shorter than Ethernet allows")
    expect(end <= len(frame), f"LENGTH {length} runs past the frame's {len(frame)} octets")
    expect(len(frame) == max(end, SHORTEST_FRAME), f"{len(frame) - end} octets behind LENGTH")
    expect(not any(frame[end:]), "the padding is not zero")
    expect(frame[20:22] == b"\0\x21", "the PPP protocol is not IPv4")
    packet = frame[ETHERNET + PPPOE + PROTOCOL : end]
    expect(len(packet) <= line.mtu, f"a packet of {len(packet)} octets in a session of {line.mtu}")
    check(packet, line.address)
    return packet


def check(packet: bytes, destination: bytes) -> None:
    """Raises ``WrongError`` unless this is a whole IPv4 packet for ``destination`` with good checksums."""
    expect(len(packet) >= 20 and packet[0] >> 4 == 4, "it is no IPv4 packet")
    header = (packet[0] & 0xF) * 4
    expect(20 <= header <= len(packet), "the header's length is wrong")
    expect(number(packet, 2) == len(packet), f"total length {number(packet, 2)} in {len(packet)} octets")
    expect(summed(packet[:header]) == 0xFFFF, "the header's checksum is wrong")
    expect(packet[16:20] == destination, "it is for another address")
    if number(packet, 6) & _MORE_OR_LATER:
        return  # a fragment's checksum is the whole's
    body = packet[header:]
    if packet[9] == UDP:
        expect(len(body) >= 8 and number(body, 4) == len(body), "the UDP length is wrong")
        if body[6:8] == b"\0\0":
            return  # none
    if packet[9] in (TCP, UDP):
        pseudo = packet[12:20] + bytes([0, packet[9]]) + len(body).to_bytes(2, "big")
        expect(summed(pseudo + body) == 0xFFFF, "the checksum of TCP or UDP is wrong")
    elif packet[9] == ICMP:
        expect(body[0] != REDIRECT, "an ICMP redirect, where there is no other way")
        expect(summed(body) == 0xFFFF, "the checksum of ICMP is wrong")


def summed(data: bytes) -> int:
    """The one's complement sum (RFC 1071); 0xffff over what has a good checksum in it."""
    total = int.from_bytes(data + bytes(len(data) % 2), "big")
    return total % 0xFFFF or (0xFFFF if total else 0)


def number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def expect(good: bool, otherwise: str) -> None:
    if not good:
        raise WrongError(otherwise)
