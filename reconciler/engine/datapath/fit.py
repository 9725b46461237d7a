"""IPv4 packets larger than their path takes: cut into fragments, or refused (RFC 791 §3.2, RFC 1191).

Pure: octets in, octets out. It must not know sessions or devices.
"""

from __future__ import annotations

from struct import Struct

_DONT_FRAGMENT, _MORE_FRAGMENTS, _OFFSET = 0x4000, 0x2000, 0x1FFF
_ICMP = 1
_UNREACHABLE, _FRAGMENTATION_NEEDED = 3, 4
_QUOTED = 8  # octets of the packet behind its header that an ICMP error repeats (RFC 792)
_TTL = 64

_u16 = Struct("!H")
_header = Struct("!BBHHHBBH4s4s")
_error = Struct("!BBHHH")
_read_u16, _write_u16 = _u16.unpack_from, _u16.pack


def may_be_cut(packet: bytes) -> bool:
    """Whether the sender lets this packet be fragmented."""
    return not _read_u16(packet, 6)[0] & _DONT_FRAGMENT


def fragments(packet: bytes, mtu: int) -> list[bytes]:
    """The packet in pieces of at most ``mtu`` octets (68 or more), each with the whole header.

    Options are copied into every piece; the few for which RFC 791 says otherwise are long out of use.
    """
    size = (packet[0] & 0x0F) * 4
    header, body = packet[:size], packet[size : _read_u16(packet, 2)[0]]
    flags = _read_u16(packet, 6)[0]
    step = (mtu - size) // 8 * 8
    pieces = []
    for start in range(0, len(body), step):
        piece = body[start : start + step]
        more = _MORE_FRAGMENTS if start + step < len(body) else flags & _MORE_FRAGMENTS
        place = more | ((flags & _OFFSET) + start // 8)
        pieces.append(_with_length_and_place(header, size + len(piece), place) + piece)
    return pieces


def refusal(packet: bytes, mtu: int, source: bytes) -> bytes | None:
    """The ICMP error that tells the packet's sender of ``mtu``, sent as from ``source``.

    None where none may be sent: about a later fragment, or about an ICMP error (RFC 1122 §3.2.2).
    """
    size = (packet[0] & 0x0F) * 4
    if _read_u16(packet, 6)[0] & _OFFSET or (packet[9] == _ICMP and packet[size] not in (0, 8)):
        return None
    quoted = packet[: size + _QUOTED]
    body = _error.pack(_UNREACHABLE, _FRAGMENTATION_NEEDED, 0, 0, mtu) + quoted
    body = body[:2] + _write_u16(checksum(body)) + body[4:]
    header = _header.pack(0x45, 0, 20 + len(body), 0, 0, _TTL, _ICMP, 0, source, packet[12:16])
    return header[:10] + _write_u16(checksum(header)) + header[12:] + body


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of octets."""
    total: int = sum(Struct(f"!{len(data) // 2}H").unpack(data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _with_length_and_place(header: bytes, length: int, place: int) -> bytes:
    fields = header[:2] + _write_u16(length) + header[4:6] + _write_u16(place) + header[8:10]
    summed = fields + b"\0\0" + header[12:]
    return fields + _write_u16(checksum(summed)) + header[12:]
