"""Whole frames of the session stage (RFC 2516 §6): in one direction, those of a session all begin alike.

Role: the short way beside `ethernet` and `pppoe`, for sessions that exist, whose frames are most. It must not
know sessions: whoever keeps their headers finds them by these.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire.drop import Drop, Malformed

_length: Final = Struct("!H")
_read_length: Final = _length.unpack_from
_write_length: Final = _length.pack
_LENGTH: Final = _length.size
_FIRST: Final = pppoe.HEADER - _LENGTH
"""Octets of the PPPoE header before its LENGTH."""


def header(destination: bytes, source: bytes, vlans: tuple[tuple[int, int], ...], session_id: int) -> bytes:
    """What every frame of a session begins with, one way: as far as its LENGTH."""
    pppoe_header = pppoe.encode(pppoe.SESSION, session_id, b"")
    return ethernet.header(destination, source, vlans, pppoe.ETHERTYPE_SESSION) + pppoe_header[:_FIRST]


def header_back(data: bytes) -> bytes:
    """The header of the frames that go the other way in the session of this one; of any other octets, what is
    no session's header.
    """
    return data[6:12] + data[:6] + data[12 : ethernet.payload_at(data) + _FIRST]


def payload(data: bytes, start: int) -> bytes:
    """What a frame carries whose header has ``start`` octets; octets past LENGTH are padding and left out.

    Raises Malformed when LENGTH is cut off, or runs past the frame.
    """
    inside = start + _LENGTH
    if len(data) < inside:
        raise Malformed(Drop.TRUNCATED)
    length: int = _read_length(data, start)[0]
    end = inside + length
    if len(data) < end:
        raise Malformed(Drop.TRUNCATED)
    return data[inside:end]


def frame(start: bytes, payload: bytes) -> bytes:
    """The frame with this header and payload, zero-padded to 60 octets as `ethernet.encode` does."""
    return (start + _write_length(len(payload)) + payload).ljust(ethernet.MINIMUM_FRAME, b"\0")
