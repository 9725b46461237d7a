"""What happened, in numbers, since this engine was started: for metrics, which tell of no single subscriber.

Neighbours: ``host`` tells of each event, ``views`` shows. It must not know what follows from anything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.engine.access.effects import Event
    from reconciler.engine.messages import LoginCount, LoginResult, Spread


class Counts:
    """``logins`` by method, result and reason; ``closed`` and ``failed`` by reason, for sessions that ended
    after a login and before one.
    """

    def __init__(self) -> None:
        self.logins: Counter[tuple[str, LoginResult, str]] = Counter()
        self.closed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.setup = Durations()

    def take(self, event: Event) -> None:
        """Count an event. A session whose addresses are only agreed on anew is no new login."""
        match event.type:
            case "session_opened" if event.setup is not None:
                self.logins[event.method or "", "accepted", ""] += 1
                self.setup.observe(event.setup)
            case "login_refused":
                self.logins[event.method or "", "refused", str(event.reason)] += 1
            case "session_closed":
                self.closed[str(event.reason)] += 1
            case "dial_failed":
                self.failed[str(event.reason)] += 1

    def login_views(self) -> list[LoginCount]:
        """As messages."""
        return [
            {"method": method, "result": result, "reason": reason, "count": count}
            for (method, result, reason), count in self.logins.items()
        ]


class Durations:
    """Observations of times in seconds, by fixed upper bounds."""

    BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

    def __init__(self) -> None:
        self._counts = [0] * (len(self.BOUNDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self.BOUNDS, seconds)] += 1
        self._sum += seconds

    def view(self) -> Spread:
        """As a message."""
        return {"bounds": list(self.BOUNDS), "counts": list(self._counts), "sum": self._sum}
