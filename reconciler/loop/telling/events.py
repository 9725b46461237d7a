"""What happened, in order: the engine's events and the reconciler's own, the last few thousand of them, and
the last of each subscriber.

Threads append and wait; readers ask for what came after a number they know. Neighbours: ``recall`` keeps the
subscribers apart. It must not know what an event means.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NotRequired, TypedDict

from reconciler.loop.telling.recall import Recall

KEPT = 5000

TALLIED = 256
"""Kinds of events, with their reasons, that are counted apart."""


class Event(TypedDict):
    """One event. ``time`` is Unix time; what does not apply is None. ``type`` of the reconciler's own:
    ``generation_applied``, ``change_held``, ``plan_released``, ``hold_ended``, ``drift_found``,
    ``drift_healed``, ``source_invalid``, ``source_valid``, ``unpredicted_drop``, ``engine_started``,
    ``paused``, ``resumed``, ``rolled_back``, ``confirm_awaited``, ``confirmed``, ``undone``.
    """

    time: float
    type: str
    user: str | None
    mac: str | None
    id: int | None
    interface: str | None
    circuit_id: NotRequired[str | None]
    remote_id: NotRequired[str | None]
    reason: str
    generation: int
    rx_bytes: NotRequired[int]
    tx_bytes: NotRequired[int]
    rx_packets: NotRequired[int]
    tx_packets: NotRequired[int]


class Numbered(NamedTuple):
    number: int
    event: Event


class Events:
    """A bounded log. Numbers count from 1 and never come twice."""

    def __init__(self) -> None:
        self._log: deque[Numbered] = deque(maxlen=KEPT)
        self._of_user: Recall[Numbered] = Recall()
        self._of_mac: Recall[Numbered] = Recall()
        self._tally: Counter[tuple[str, str]] = Counter()
        self._last = 0
        self._more = threading.Condition()
        self._closed = False
        self.since: float | None = None
        """Since when events are kept, in Unix time; None for since this process began."""

    @property
    def closed(self) -> bool:
        """Nothing will be added any more."""
        return self._closed

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._last

    def restore(self, kept: Iterable[Numbered], since: float) -> None:
        """Go on from what a daemon before this one knew, which listened ``since`` then. Counts begin anew."""
        with self._more:
            self.since = since
            for entry in kept:
                self._last = entry.number
                self._enter(entry)

    def add(self, event: Event) -> None:
        with self._more:
            self._last += 1
            entry = Numbered(self._last, event)
            self._enter(entry)
            # The reconciler's own reasons are sentences; a subscriber's are words of a fixed list.
            kind = (event["type"], "" if event["mac"] is None else event["reason"])
            if kind not in self._tally and len(self._tally) >= TALLIED:
                kind = (event["type"], "other")
            self._tally[kind] += 1
            self._more.notify_all()

    def _enter(self, entry: Numbered) -> None:
        self._log.append(entry)
        if entry.event["user"] is not None:
            self._of_user.take(entry.event["user"], entry)
        if entry.event["mac"] is not None:
            self._of_mac.take(entry.event["mac"], entry)

    def note(self, kind: str, reason: str, generation: int, now: float) -> None:
        """Add an event of the reconciler's own."""
        self.add(
            {
                "time": now,
                "type": kind,
                "user": None,
                "mac": None,
                "id": None,
                "interface": None,
                "reason": reason,
                "generation": generation,
            }
        )

    def tally(self) -> Mapping[tuple[str, str], int]:
        """How often which type of event was added, by its reason where it is a subscriber's."""
        with self._more:
            return dict(self._tally)

    def after(self, number: int, timeout: float = 0.0) -> list[Numbered]:
        """The kept events past ``number``; waits up to ``timeout`` seconds for one if there is none."""
        with self._more:
            if self._last <= number and not self._closed:
                self._more.wait(timeout)
            return [entry for entry in self._log if entry.number > number]

    def of_user(self, name: str) -> list[Event]:
        """The last events with that user's name, oldest first, and in between those without a name from the
        same clients.
        """
        with self._more:
            named = self._of_user.of(name)
            macs = {entry.event["mac"] for entry in named} - {None}
            nameless = [
                entry for mac in macs for entry in self._of_mac.of(str(mac)) if entry.event["user"] is None
            ]
            return [entry.event for entry in sorted([*named, *nameless], key=lambda entry: entry.number)]

    def of_mac(self, mac: str) -> list[Event]:
        """The last events of that client, oldest first."""
        with self._more:
            return [entry.event for entry in self._of_mac.of(mac)]

    def users(self) -> tuple[str, ...]:
        """The names of whom there are events: users, and others who tried."""
        with self._more:
            return self._of_user.subscribers()

    def close(self) -> None:
        """Let everybody who waits go."""
        with self._more:
            self._closed = True
            self._more.notify_all()
