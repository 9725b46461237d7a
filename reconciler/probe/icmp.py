"""Echo requests and their answers (RFC 792), in IPv4 packets (RFC 791).

Pure. It must not know how packets travel.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_VERSION_4_WORDS_5 = 0x45
_TTL = 64
_icmp = struct.Struct("!BBHHH")
_ipv4 = struct.Struct("!BBHHHBBH4s4s")


class Reply(NamedTuple):
    """An echo reply: from whom, and to which request."""

    source: str
    identifier: int
    sequence: int


def request(identifier: int, sequence: int) -> bytes:
    """An echo request without data; both numbers have 16 bits."""
    bare = _icmp.pack(_ECHO_REQUEST, 0, 0, identifier, sequence)
    return _icmp.pack(_ECHO_REQUEST, 0, checksum(bare), identifier, sequence)


def packet(source: str, target: str, message: bytes) -> bytes:
    """An IPv4 packet that carries an ICMP message of an even number of octets."""
    addresses = socket.inet_aton(source), socket.inet_aton(target)
    length = _ipv4.size + len(message)

    def header(check: int) -> bytes:
        return _ipv4.pack(_VERSION_4_WORDS_5, 0, length, 0, 0, _TTL, socket.IPPROTO_ICMP, check, *addresses)

    return header(checksum(header(0))) + message


def reply(octets: bytes) -> Reply | None:
    """What an IPv4 packet replies to, if it is an echo reply."""
    start = 4 * (octets[0] & 0x0F) if octets else 0
    if start < _ipv4.size or len(octets) < start + _icmp.size or octets[9] != socket.IPPROTO_ICMP:
        return None
    kind, _, _, identifier, sequence = _icmp.unpack_from(octets, start)
    return Reply(socket.inet_ntoa(octets[12:16]), identifier, sequence) if kind == _ECHO_REPLY else None


def checksum(octets: bytes) -> int:
    """The Internet checksum of an even number of octets (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
