"""Echo requests at a steady rate, with an account of every one of them.

:class:`Ledger` is the account alone; :class:`Pinger` adds the raw ICMP socket and the rhythm. A
ping is lost when no answer has come within :data:`PATIENCE`; one that comes later still is counted as
received, and as late.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict
from typing import TypedDict

from reconciler.probe import icmp

PATIENCE = 2.0
"""Seconds to wait for an answer."""

KEPT = 1000
"""How many losses are told one by one; all of them are counted."""


class Loss(TypedDict):
    """A ping without an answer. ``at``: Unix time of sending; ``error``: why it could not even be sent."""

    seq: int
    at: float
    error: str | None


class Report(TypedDict):
    """The account so far. Round-trip times in milliseconds, over all answers (0 when there is none)."""

    target: str
    sent: int
    received: int
    late: int
    waiting: int
    lost: int
    losses: list[Loss]
    rtt_avg: float
    rtt_max: float


class Ledger:
    """Who was asked when, and who answered. Sequence numbers run on past 65,535; the wire carries 16 bits."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._waiting: OrderedDict[int, float] = OrderedDict()
        self._losses: OrderedDict[int, Loss] = OrderedDict()
        self._sent = self._received = self._late = self._lost = 0
        self._rtt_sum = self._rtt_max = 0.0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def send(self, now: float) -> int:
        """Enter a new ping; its sequence number."""
        self._sent += 1
        self._waiting[self._sent] = now
        return self._sent

    def fail(self, seq: int, error: str) -> None:
        """That ping could not be sent: lost at once."""
        self._lose(seq, self._waiting.pop(seq), error)

    def receive(self, low: int, now: float) -> None:
        """An answer, of which the wire tells the low 16 bits of the sequence number."""
        seq = self._sent - (self._sent - low) % 65536
        at = self._waiting.pop(seq, None)
        if at is None:
            loss = self._losses.pop(seq, None)
            if loss is None:
                return
            at = loss["at"]
            self._lost -= 1
            self._late += 1
        self._received += 1
        self._rtt_sum += now - at
        self._rtt_max = max(self._rtt_max, now - at)

    def expire(self, now: float) -> None:
        """Give up on what has waited too long."""
        while self._waiting and next(iter(self._waiting.values())) <= now - PATIENCE:
            self._lose(*self._waiting.popitem(last=False), None)

    def report(self) -> Report:
        return Report(
            target=self._target,
            sent=self._sent,
            received=self._received,
            late=self._late,
            waiting=self.waiting,
            lost=self._lost,
            losses=list(self._losses.values()),
            rtt_avg=round(1000 * self._rtt_sum / self._received, 3) if self._received else 0.0,
            rtt_max=round(1000 * self._rtt_max, 3),
        )

    def _lose(self, seq: int, at: float, error: str | None) -> None:
        self._lost += 1
        self._losses[seq] = Loss(seq=seq, at=at, error=error)
        while len(self._losses) > KEPT:
            self._losses.popitem(last=False)


class Pinger:
    """Asks ``target`` every ``interval`` seconds. All times here are Unix time, so that accounts can be
    compared.
    """

    def __init__(self, target: str, interval: float, now: float) -> None:
        self.ledger = Ledger(target)
        self.interval = interval
        self.stopping = False
        self._target = target
        self._next = now
        self._identifier = os.getpid() & 0xFFFF
        flags = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_INET, flags, socket.IPPROTO_ICMP)

    def fileno(self) -> int:
        return self._socket.fileno()

    def deadline(self) -> float:
        """When :meth:`tick` is next due."""
        return self._next

    def done(self) -> bool:
        """It was told to stop, and nothing is waited for any more."""
        return self.stopping and not self.ledger.waiting

    def tick(self, now: float) -> None:
        """Send what is due, without making up for beats that were missed."""
        self.ledger.expire(now)
        if now < self._next:
            return
        self._next = max(self._next + self.interval, now)
        if not self.stopping:
            self._ask(self.ledger.send(now))

    def receive(self, now: float) -> None:
        """Take the answers that have come."""
        while True:
            try:
                packet = self._socket.recv(2048)
            except BlockingIOError:
                return
            reply = icmp.reply(packet)
            if reply is not None and reply[:2] == (self._target, self._identifier):
                self.ledger.receive(reply.sequence, now)

    def close(self) -> None:
        self._socket.close()

    def _ask(self, seq: int) -> None:
        try:
            self._socket.sendto(icmp.request(self._identifier, seq & 0xFFFF), (self._target, 0))
        except OSError as error:
            self.ledger.fail(seq, error.strerror or "not sent")
