"""The segment size in TCP handshakes, lowered to what a session carries (RFC 879, RFC 1624).

Hosts that would never hear of the path's size, because somebody filters ICMP, then send nothing that has to
be cut. Pure: octets in, octets out. It must not know sessions or devices.
"""

from __future__ import annotations

from struct import Struct

TCP = 6
"""The protocol number, at octet 9 of an IPv4 header: whoever calls looks there first."""
HEADERS = 40
"""Octets of the IPv4 and TCP headers that a segment's size does not count (RFC 879 §3)."""

_FRAGMENT_OFFSET = 0x1FFF
_SYN = 0x02
_END, _NOTHING, _SIZE = 0, 1, 2
_SIZE_LENGTH = 4

_u16 = Struct("!H")
_read_u16, _write_u16 = _u16.unpack_from, _u16.pack_into


def clamped(packet: bytes, mtu: int) -> bytes:
    """An IPv4 packet with TCP inside; if it opens a connection with larger segments than fit ``mtu``, with
    that lowered. Whatever cannot be read is left as it is.
    """
    start = (packet[0] & 0x0F) * 4
    if start < 20 or len(packet) < start + 20 or not packet[start + 13] & _SYN:
        return packet
    if _read_u16(packet, 6)[0] & _FRAGMENT_OFFSET:
        return packet
    place = _find(packet, start + 20, min(start + (packet[start + 12] >> 4) * 4, len(packet)))
    most = mtu - HEADERS
    if place is None or (size := _read_u16(packet, place)[0]) <= most:
        return packet
    changed = bytearray(packet)
    _write_u16(changed, place, most)
    checksum = start + 16
    swap = (place - start) % 2 == 1  # the sum takes octets in pairs
    _write_u16(changed, checksum, _updated(_read_u16(packet, checksum)[0], size, most, swap=swap))
    return bytes(changed)


def _find(packet: bytes, place: int, end: int) -> int | None:
    """Where the size stands among the options, if it does."""
    while place < end and packet[place] != _END:
        if packet[place] == _NOTHING:
            place += 1
            continue
        length = packet[place + 1] if place + 1 < end else 0
        if length < 2 or place + length > end:
            return None
        if packet[place] == _SIZE and length == _SIZE_LENGTH:
            return place + 2
        place += length
    return None


def _updated(checksum: int, before: int, after: int, *, swap: bool) -> int:
    """The checksum after one 16-bit value has changed (RFC 1624 §3)."""
    if swap:
        before, after = _swapped(before), _swapped(after)
    total = (~checksum & 0xFFFF) + (~before & 0xFFFF) + after
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _swapped(value: int) -> int:
    return (value & 0xFF) << 8 | value >> 8
