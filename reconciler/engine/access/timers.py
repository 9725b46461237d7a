"""When each session next wants to be woken: one deadline each, cheap to move later.

A heap with lazy entries. Moving a deadline later costs nothing (the earlier entry comes up, is found not due,
and is put back); moving it earlier costs one push. Who is woken in a moment anyway is not even asked: most
deadlines of a set-up come to nothing. A spurious wake-up is harmless by contract, so nothing is ever searched
for. Entries that have become useless go when they come up, or all at once when they are most of the heap, so
that sessions which come and go fast are not kept. Neighbours: ``lifecycle``. It must not read a clock.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final, Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something with a deadline; ``armed`` belongs to this module (the earliest entry now in the heap)."""

    armed: float

    def deadline(self) -> float | None: ...


T = TypeVar("T", bound=Timed)

NEVER: Final = float("inf")
GRAIN: Final = 0.05
"""Seconds by which a deadline may be missed, at most."""
ROOM: Final = 1024
"""Entries that a heap may have without being swept."""


class Deadlines(Generic[T]):
    """The items' deadlines, earliest first. Times are monotonic seconds."""

    __slots__ = ("_heap", "_order", "_room")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._order = count()
        self._room = ROOM

    def update(self, item: T, now: float) -> None:
        """Take note that the item's deadline may have moved."""
        if item.armed <= now + GRAIN:
            return
        when = item.deadline()
        if when is not None and when < item.armed:
            item.armed = when
            heappush(self._heap, (when, next(self._order), item))
            if len(self._heap) > self._room:
                self._sweep()

    def _sweep(self) -> None:
        """Drop what has been overtaken by an earlier entry, or has nothing to wait for."""
        kept = []
        for entry in self._heap:
            when, _, item = entry
            if when == item.armed:
                if item.deadline() is None:
                    item.armed = NEVER  # it has no entry any more, and may want one again
                else:
                    kept.append(entry)
        self._heap = kept
        heapify(kept)
        self._room = max(ROOM, 2 * len(kept))

    def next(self) -> float | None:
        """The earliest time at which ``due`` may have something to give."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[T]:
        """Take out the items whose deadline has come. Call ``update`` on each after ticking it."""
        items = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            when, _, item = heappop(heap)
            if when != item.armed:
                continue
            item.armed = NEVER
            deadline = item.deadline()
            if deadline is not None and deadline <= now:
                items.append(item)
            else:
                self.update(item, now)
        return items
