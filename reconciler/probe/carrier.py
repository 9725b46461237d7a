"""A session's data packets: bare IPv4 into PPPoE session frames and out of them (RFC 2516 §6).

By ``struct`` and without scapy: they can be many. Pure. It must not know where packets come from.
"""

from __future__ import annotations

import struct

from reconciler.probe.codec import SESSION, Protocol
from reconciler.probe.outcome import Up

_pppoe = struct.Struct("!6s6sHBBHHH")
_VERSION_1_TYPE_1 = 0x11
_HEADER_IN_LENGTH = 2


class Carrier:
    """Frames of one call, between ``mac`` and the concentrator."""

    def __init__(self, mac: bytes, up: Up) -> None:
        self._mac = mac
        self._up = up

    def frame(self, packet: bytes) -> bytes:
        """The frame that takes a packet to the concentrator."""
        length = len(packet) + _HEADER_IN_LENGTH
        header = _pppoe.pack(
            self._up.ac_mac, self._mac, SESSION, _VERSION_1_TYPE_1, 0, self._up.session, length, Protocol.IPV4
        )
        return header + packet

    def packet(self, frame: bytes) -> bytes | None:
        """The packet in a frame from the concentrator; None when it is another's, or not IPv4."""
        if len(frame) < _pppoe.size:
            return None
        *addresses, _, version, code, session, length, protocol = _pppoe.unpack_from(frame)
        ours = addresses == [self._mac, self._up.ac_mac] and session == self._up.session
        if not ours or (version, code, protocol) != (_VERSION_1_TYPE_1, 0, Protocol.IPV4):
            return None
        return frame[_pppoe.size : _pppoe.size + length - _HEADER_IN_LENGTH]
