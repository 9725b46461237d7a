"""One subscriber's pings: bare packets out, answers in, and an account of what was never answered.

A late answer is an answer: a ping is lost when it has none at the end. What is asked while the two ends of a
link agree on it, until the first answer, is ``early``: one end is up before the other, and a request that is
repeated, since the other end was busy, has it all agreed on anew (RFC 1661 §4.3). It must not know sessions.
"""

from __future__ import annotations

import struct

from reconciler.engine.datapath.fit import checksum

_ICMP = struct.Struct("!BBHHH")
_ECHO, _REPLY = 8, 0
_ON_ITS_WAY = 2.0
"""Seconds that a ping may have been on its way when it is known that the link is agreed on anew."""
_BODY = b"never lost".ljust(16, b".")


class Pings:
    """``waiting`` has the unanswered ones by number, with the time they were sent."""

    def __init__(self, identifier: int, target: bytes) -> None:
        self.sent = self.answered = self.early = 0
        self.waiting: dict[int, float] = {}
        self._identifier = identifier & 0xFFFF
        self._target = target
        self._header = b""
        self._doubted: float | None = None

    def doubt(self, now: float) -> None:
        """The link is being agreed on: from now on, until something asked from now on has been answered."""
        self._doubted = now

    def speak_as(self, address: bytes) -> None:
        """From now on, ``address`` asks. What an address before it has asked is no longer waited for."""
        length = 20 + _ICMP.size + len(_BODY)
        header = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, 1, 0) + address + self._target
        self._header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        self.waiting.clear()

    def ask(self, now: float) -> bytes:
        """The next request, as an IPv4 packet."""
        self.sent += 1
        number = self.sent & 0xFFFF
        self.waiting[number] = now
        plain = _ICMP.pack(_ECHO, 0, 0, self._identifier, number) + _BODY
        return self._header + _ICMP.pack(_ECHO, 0, checksum(plain), self._identifier, number) + _BODY

    def take(self, packet: bytes) -> None:
        """A packet from the network; one that answers nothing of ours changes nothing."""
        if len(packet) < 20 + _ICMP.size or packet[9] != 1 or packet[12:16] != self._target:
            return
        kind, _, _, identifier, number = _ICMP.unpack_from(packet, 4 * (packet[0] & 0xF))
        sent = self.waiting.pop(number, None) if (kind, identifier) == (_REPLY, self._identifier) else None
        if sent is None:
            return
        self.answered += 1
        began = self._doubted
        if began is not None and sent >= began:
            self._doubted = None
            early = [n for n, when in self.waiting.items() if began - _ON_ITS_WAY <= when < sent]
            self.early += len(early)
            for n in early:
                del self.waiting[n]
