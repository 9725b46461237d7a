"""Ethernet II frames with any stack of VLAN tags (IEEE 802.3 §3.2, 802.1Q §9.6).

Role: the outermost layer of the wire room; `pppoe` takes the payload. Works on bytes alone: it must not know
interfaces, sessions, or which addresses are ours.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from reconciler.engine.wire.drop import Drop, Malformed

BROADCAST: Final = b"\xff" * 6
MINIMUM_FRAME: Final = 60
"""Least octets of a frame without its check sequence (IEEE 802.3 §4A.2.3.2.4); shorter ones are padded."""

_VLAN_TPIDS: Final = frozenset({0x8100, 0x88A8})
_VLAN_TAGS: Final = frozenset(tpid.to_bytes(2, "big") for tpid in _VLAN_TPIDS)
_HEADER: Final = 14
_read_u16: Final = Struct("!H").unpack_from
_read_tag: Final = Struct("!HH").unpack_from
_write_u16: Final = Struct("!H").pack
_write_tag: Final = Struct("!HH").pack


class Frame(NamedTuple):
    """One frame. `vlans` holds (TPID, TCI) pairs, outermost first; `payload` may carry trailing padding."""

    destination: bytes
    source: bytes
    vlans: tuple[tuple[int, int], ...]
    ethertype: int
    payload: bytes


def decode(data: bytes) -> Frame:
    """Read a frame as the packet socket gives it, without preamble and check sequence.

    Raises Malformed when a header is cut off.
    """
    if len(data) < _HEADER:
        raise Malformed(Drop.TRUNCATED)
    ethertype: int = _read_u16(data, 12)[0]
    if ethertype not in _VLAN_TPIDS:
        return Frame(data[:6], data[6:12], (), ethertype, data[_HEADER:])
    vlans: list[tuple[int, int]] = []
    offset = _HEADER
    while ethertype in _VLAN_TPIDS:
        if len(data) < offset + 4:
            raise Malformed(Drop.TRUNCATED)
        tci, inner = _read_tag(data, offset)
        vlans.append((ethertype, tci))
        ethertype = inner
        offset += 4
    return Frame(data[:6], data[6:12], tuple(vlans), ethertype, data[offset:])


def payload_at(data: bytes) -> int:
    """Where the payload begins, behind whatever VLAN tags; past the end when the header is cut off."""
    at = _HEADER
    while data[at - 2 : at] in _VLAN_TAGS:
        at += 4
    return at


def encode(frame: Frame) -> bytes:
    """Build the frame, zero-padded to 60 octets, so that no stale memory ever leaves in the padding."""
    destination, source, vlans, ethertype, payload = frame
    return (header(destination, source, vlans, ethertype) + payload).ljust(MINIMUM_FRAME, b"\0")


def header(destination: bytes, source: bytes, vlans: tuple[tuple[int, int], ...], ethertype: int) -> bytes:
    """Build what stands before the payload."""
    tags = b"".join([_write_tag(*vlan) for vlan in vlans]) if vlans else b""
    return destination + source + tags + _write_u16(ethertype)


def is_unicast(mac: bytes) -> bool:
    """Whether a station can have this address: six octets, no group bit, not all zero."""
    return len(mac) == 6 and not mac[0] & 1 and mac != b"\0\0\0\0\0\0"


def format_mac(mac: bytes) -> str:
    """``aa:bb:cc:dd:ee:ff``."""
    return mac.hex(":")
