"""How often something may be done: a token bucket in virtual time."""

from __future__ import annotations

from typing import Final

_ROUNDING: Final = 1e-6


class Allowance:
    """At most ``rate`` a second on average (0: no limit), and ``burst`` at once. Times are monotonic
    seconds.
    """

    __slots__ = ("_burst", "_each", "_spent_until")

    def __init__(self, rate: float, burst: int) -> None:
        self._each = 1 / rate if rate else 0.0
        self._burst = burst * self._each
        self._spent_until = float("-inf")

    def take(self, now: float) -> bool:
        """Whether it may be done once more, now; if so, it counts as done."""
        spent_until = max(self._spent_until, now - self._burst) + self._each
        if spent_until > now + _ROUNDING:
            return False
        self._spent_until = spent_until
        return True
