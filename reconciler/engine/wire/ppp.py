"""PPP frames, control packets and configuration options (RFC 1661 §2, §5, §6).

Role: the innermost layer of the wire room: what a PPPoE session carries. It checks form alone, the same for
LCP and every NCP: codes, states and the meaning of an option are the ppp room's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct
from typing import Final

from reconciler.engine.wire.drop import Drop, Malformed

HEADER: Final = 4
"""Octets of a control packet's header: Code, Identifier, Length."""

Option = tuple[int, bytes]
"""A configuration option: its type and value."""

Packet = tuple[int, int, bytes]
"""A control packet, of whichever protocol: Code, Identifier, and the data without padding."""


class Protocol(IntEnum):
    """PPP protocol numbers that mean something here. A frame may carry any other."""

    IPV4 = 0x0021
    IPV6 = 0x0057
    IPCP = 0x8021
    IPV6CP = 0x8057
    CCP = 0x80FD
    LCP = 0xC021
    PAP = 0xC023
    CHAP = 0xC223


_PROTOCOL: Final = 2
"""Octets of the protocol number."""
_INSIDE: Final = _PROTOCOL + HEADER
_read_protocol: Final = Struct("!H").unpack_from
_read_header: Final = Struct("!2xBBH").unpack_from
_write_frame: Final = Struct("!HBBH").pack
_write_option: Final = Struct("BB").pack


def protocol_of(payload: bytes) -> int:
    """The number of the protocol that a session's payload belongs to.

    Raises Malformed when the number breaks RFC 1661 §2 (first octet even, second odd): a compressed protocol
    field or a leading ``ff 03``, neither of which PPPoE allows (RFC 2516 §7), reads as such.
    """
    if len(payload) < _PROTOCOL:
        raise Malformed(Drop.TRUNCATED)
    protocol: int = _read_protocol(payload)[0]
    if protocol & 0x0101 != 0x0001:
        raise Malformed(Drop.PPP_PROTOCOL)
    return protocol


def decode(payload: bytes) -> Packet:
    """Read the control packet in a session's payload; octets past its Length are padding and left out (RFC
    1661 §5).

    Raises Malformed when the header is cut off, or Length is below 4 or past the end.
    """
    if len(payload) < _INSIDE:
        raise Malformed(Drop.TRUNCATED)
    header: tuple[int, int, int] = _read_header(payload)
    code, identifier, length = header
    end = _PROTOCOL + length
    if end < _INSIDE or end > len(payload):
        raise Malformed(Drop.TRUNCATED)
    return code, identifier, payload[_INSIDE:end]


def encode(protocol: int, code: int, identifier: int, data: bytes) -> bytes:
    """Build a session's payload that carries one control packet. `data` is at most 65531 octets."""
    return _write_frame(protocol, code, identifier, HEADER + len(data)) + data


def decode_options(data: bytes) -> tuple[Option, ...]:
    """Read the option list of a Configure packet, in its order.

    Raises Malformed for the whole packet when an option's Length is below 2 or past the end (RFC 1661 §6).
    """
    options: list[Option] = []
    offset, end = 0, len(data)
    while offset < end:
        value = offset + 2
        following = offset + data[offset + 1] if value <= end else offset
        if following < value or following > end:
            raise Malformed(Drop.OPTION_LENGTH)
        options.append((data[offset], data[value:following]))
        offset = following
    return tuple(options)


def encode_options(options: Iterable[Option]) -> bytes:
    """Build an option list. Each value is at most 253 octets."""
    return b"".join([_write_option(kind, 2 + len(value)) + value for kind, value in options])
