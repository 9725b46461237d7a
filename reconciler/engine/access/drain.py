"""Emptying the box at a bearable pace: nobody comes in, and everybody goes, a few at a time.

Neighbours: ``concentrator`` ends those whose turn it is. It must not know how a session ends.
"""

from __future__ import annotations

from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Final

from reconciler.engine.access.reasons import End

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.engine.access.session import Session

STEP: Final = 0.05
"""Seconds between two lots, at least: a high pace is kept by larger ones."""


class Drain:
    """Ends ``rate`` sessions a second (infinity: all at once). ``due`` is when the next turn is, in monotonic
    seconds; ``reason`` is what they are told to have ended for.
    """

    __slots__ = ("_lot", "due", "rate", "reason")

    def __init__(self, rate: float, now: float, reason: End = End.DRAINED) -> None:
        self.rate = rate
        self.reason = reason
        self.due = now
        self._lot = None if rate == inf else max(1, int(rate * STEP))

    def turn(self, sessions: Iterable[Session], now: float) -> list[Session]:
        """Those that have to go now, the first ones first. There is no catching up after a standstill."""
        if now < self.due:
            return []
        chosen = list(islice((one for one in sessions if one.ending is None), self._lot))
        # Nobody is admitted, so when all are going there is nothing more to wait for.
        self.due = now + self._lot / self.rate if chosen and self._lot is not None else inf
        return chosen
