"""A few echo requests, one after another, as bare packets: what ``pinger`` does without the kernel's help.

Sans-IO: packets and the time (seconds) go in, packets come out. It must not know how they travel.
"""

from __future__ import annotations

from reconciler.probe import icmp
from reconciler.probe.pinger import PATIENCE, Ledger

SIZE = 3
"""Requests."""
INTERVAL = 0.2
"""Seconds between two."""


class Volley:
    """From ``source`` to ``target``; ``ledger`` has the account."""

    def __init__(self, source: str, target: str, identifier: int, now: float) -> None:
        self.ledger = Ledger(target)
        self._source = source
        self._target = target
        self._identifier = identifier
        self._left = SIZE
        self._next = now

    @property
    def over(self) -> bool:
        """All were answered, or given up."""
        return not self._left and not self.ledger.waiting

    def tick(self, now: float) -> bytes | None:
        """The packet that is due, if one is."""
        self.ledger.expire(now)
        if not self._left or now < self._next:
            return None
        self._left -= 1
        self._next = now + INTERVAL
        sequence = self.ledger.send(now)
        return icmp.packet(self._source, self._target, icmp.request(self._identifier, sequence))

    def receive(self, packet: bytes, now: float) -> None:
        """Take a packet; one that answers none of ours changes nothing."""
        reply = icmp.reply(packet)
        if reply is not None and reply[:2] == (self._target, self._identifier):
            self.ledger.receive(reply.sequence, now)

    def deadline(self) -> float:
        """When :meth:`tick` is next due, at the latest."""
        return self._next if self._left else self._next + PATIENCE
