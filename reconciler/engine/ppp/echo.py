"""Keepalive: when to ask, and when to stop believing (RFC 2516 §7, RFC 1661 §5.8).

Role: the counting behind `lcp`, which sends the Echo-Requests and judges the replies. It must not know
packets.
"""

from __future__ import annotations

from math import inf


class Keepalive:
    """Asks every `interval` seconds (0 = never); after `failures` questions in a row without answer, the
    next turn finds the peer `lost`. `deadline` is when the next turn is."""

    __slots__ = ("_failures", "_interval", "_pause", "_unanswered", "asked", "deadline")

    def __init__(self, interval: float, failures: int) -> None:
        self._interval = interval
        self._pause = interval
        self._failures = failures
        self._unanswered = 0
        self.asked: int | None = None
        """Identifier of the question that is open, if any."""
        self.deadline = inf

    @property
    def lost(self) -> bool:
        return self._unanswered >= self._failures

    def start(self, now: float) -> None:
        self._unanswered = 0
        self._pause = self._interval
        if self._interval > 0:
            self.deadline = now + self._interval

    def confirm(self, at: float, pause: float) -> None:
        """Ask from `at` on, every `pause` seconds until there is an answer; then as usual."""
        if self._interval > 0:
            self._pause = pause
            self.deadline = at

    def stop(self) -> None:
        self.asked = None
        self.deadline = inf

    def ask(self, identifier: int, now: float) -> None:
        """A question has just been sent."""
        self.asked = identifier
        self._unanswered += 1
        self.deadline = now + self._pause

    def answered(self, now: float) -> None:
        """The open question has its answer."""
        self.asked = None
        self._unanswered = 0
        if self._pause != self._interval:
            self.start(now)
