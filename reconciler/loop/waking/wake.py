"""What wakes the reconcile loop: hints without payload, from any thread or signal handler.

A hint says "look within so many seconds", nothing of what happened: a pass looks at everything. Hints that
come before the look are one hint, so a burst costs one pass. It must not know who hints or what a pass does.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

SOON = 0.03
"""Seconds between a hint and the pass it causes: long enough to gather a burst, too short to be noticed."""

PROMPTLY = 0.005
"""The same for what the kernel tells: it gathers by itself."""

LAZILY = 0.25
"""The same for what happens all the time and seldom matters: logins and ends of sessions."""

_SHARE = 10.0
"""Lazy passes take at most one part in so many of the time: a look at many sessions is long."""


class Wake:
    """A bell with a due time: the earliest of all hints."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._due = math.inf
        self._rested = -math.inf
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopping

    def hint(self, within: float = SOON) -> None:
        """Ask for a pass within ``within`` seconds."""
        with self._changed:
            due = self._clock() + within
            if due < self._due:
                self._due = due
                self._changed.notify_all()

    def hint_lazily(self) -> None:
        """Ask for a pass soon, but not so soon after the last one that passes are all that happens."""
        self.hint(max(LAZILY, self._rested - self._clock()))

    def took(self, seconds: float) -> None:
        """A pass took so long: lazy hints wait in proportion."""
        self._rested = self._clock() + _SHARE * seconds

    def stop(self) -> None:
        """Ask the loop to end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def wait(self, at_most: float) -> None:
        """Return when a hint is due, after ``at_most`` seconds, or when told to stop.

        Hints so far are spent.
        """
        with self._changed:
            deadline = self._clock() + at_most
            while not self._stopping and (left := min(self._due, deadline) - self._clock()) > 0:
                self._changed.wait(left)
            self._due = math.inf
