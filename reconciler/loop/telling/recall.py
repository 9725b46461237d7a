"""The last events of each subscriber, kept when the common log has long gone on.

A busy line, or somebody who tries one name after another, fills the log; what happened to a quiet subscriber
last week is still asked for. It must not know what an event means.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

EACH = 12
"""Events kept of one subscriber."""

SUBSCRIBERS = 8192
"""Subscribers of whom something is kept: those heard of most recently."""

T = TypeVar("T")


class Recall(Generic[T]):
    """Entries by subscriber. Not thread-safe."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[T]] = OrderedDict()

    def take(self, subscriber: str, entry: T) -> None:
        """Keep one more entry. The subscriber's oldest, or the subscriber least heard of, makes room."""
        kept = self._of.get(subscriber)
        if kept is None:
            kept = self._of[subscriber] = deque(maxlen=EACH)
            if len(self._of) > SUBSCRIBERS:
                self._of.popitem(last=False)
        kept.append(entry)
        self._of.move_to_end(subscriber)

    def of(self, subscriber: str) -> tuple[T, ...]:
        """What is kept of a subscriber, oldest first."""
        return tuple(self._of.get(subscriber, ()))

    def subscribers(self) -> tuple[str, ...]:
        """Of whom something is kept."""
        return tuple(self._of)
