"""PPPoE packets and discovery tags (RFC 2516 §4, Appendix A; RFC 4638 for PPP-Max-Payload).

Role: between `ethernet` and `ppp`. It checks form alone: which code is welcome in which state, and what a
tag's value means, is the access room's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from reconciler.engine.wire.drop import Drop, Malformed

ETHERTYPE_DISCOVERY: Final = 0x8863
ETHERTYPE_SESSION: Final = 0x8864
HEADER: Final = 6
"""Octets of the PPPoE header."""

Tag = tuple[int, bytes]
"""A discovery tag: its type (often a `TagType`) and value."""


class Code(IntEnum):
    """The CODE field (RFC 2516 §5). A packet may carry any other value."""

    SESSION = 0x00
    PADO = 0x07
    PADI = 0x09
    PADR = 0x19
    PADS = 0x65
    PADT = 0xA7


SESSION: Final[int] = Code.SESSION
PADO: Final[int] = Code.PADO
PADI: Final[int] = Code.PADI
PADR: Final[int] = Code.PADR
PADS: Final[int] = Code.PADS
PADT: Final[int] = Code.PADT
"""The members by name alone: looking one up in its enumeration takes as long as four names (Python 3.11)."""


class TagType(IntEnum):
    """Tag types of RFC 2516 Appendix A, and PPP-Max-Payload of RFC 4638 §3."""

    END_OF_LIST = 0x0000
    SERVICE_NAME = 0x0101
    AC_NAME = 0x0102
    HOST_UNIQ = 0x0103
    AC_COOKIE = 0x0104
    VENDOR_SPECIFIC = 0x0105
    RELAY_SESSION_ID = 0x0110
    PPP_MAX_PAYLOAD = 0x0120
    SERVICE_NAME_ERROR = 0x0201
    AC_SYSTEM_ERROR = 0x0202
    GENERIC_ERROR = 0x0203


class Packet(NamedTuple):
    """A PPPoE packet: tags as bytes in discovery, a PPP frame in a session."""

    code: int
    session_id: int
    payload: bytes


_VERSION_AND_TYPE: Final = 0x11
_header: Final = Struct("!BBHH")
_read_header: Final = _header.unpack_from
_write_header: Final = _header.pack
_tag_header: Final = Struct("!HH")
_read_tag_header: Final = _tag_header.unpack_from
_write_tag_header: Final = _tag_header.pack


def decode(payload: bytes) -> Packet:
    """Read an Ethernet payload; octets past LENGTH are padding and left out.

    Raises Malformed when the header is cut off, VER or TYPE is not 1, or LENGTH runs past the frame.
    """
    if len(payload) < HEADER:
        raise Malformed(Drop.TRUNCATED)
    header: tuple[int, int, int, int] = _read_header(payload)
    version_and_type, code, session_id, length = header
    if version_and_type != _VERSION_AND_TYPE:
        raise Malformed(Drop.PPPOE_VERSION)
    if length > len(payload) - HEADER:
        raise Malformed(Drop.TRUNCATED)
    return Packet(code, session_id, payload[HEADER : HEADER + length])


def encode(code: int, session_id: int, payload: bytes) -> bytes:
    """Build the Ethernet payload. LENGTH is exact; `payload` is at most 65535 octets."""
    return _write_header(_VERSION_AND_TYPE, code, session_id, len(payload)) + payload


def decode_tags(payload: bytes) -> tuple[Tag, ...]:
    """Read tags up to the end or End-Of-List, which is not itself returned; what follows it is not looked at.

    Raises Malformed when a tag runs past the end, or End-Of-List has a value.
    """
    tags: list[Tag] = []
    offset, end = 0, len(payload)
    while offset < end:
        value = offset + 4
        if value > end:
            raise Malformed(Drop.TAG_OVERRUN)
        header: tuple[int, int] = _read_tag_header(payload, offset)
        kind, length = header
        if kind == 0:
            if length:
                raise Malformed(Drop.END_OF_LIST)
            break
        offset = value + length
        if offset > end:
            raise Malformed(Drop.TAG_OVERRUN)
        tags.append((kind, payload[value:offset]))
    return tuple(tags)


def encode_tags(tags: Iterable[Tag]) -> bytes:
    """Build the payload of a discovery packet. Each value is at most 65535 octets."""
    return b"".join([_write_tag_header(kind, len(value)) + value for kind, value in tags])
