"""Keeps the book of drift: what moved by itself, since when, and when it was put back.

Also keeps the peace: what somebody else moves again and again is put back with growing pauses, so that two
programs which disagree do not fight at full speed. It must not know how things are put back, nor read a
clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from reconciler.plan.change import Change
from reconciler.plan.state import Value
from reconciler.site.escape import visible

KEPT = 50
"""Entries that stay in the book after they were put back."""

QUIET = 60.0
"""Seconds without drift after which a thing is trusted again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One drift. Times are Unix time; ``healed`` is None while it lasts. ``times``: how often in a row."""

    path: str
    found: Value | None
    wanted: Value | None
    since: float
    healed: float | None = None
    times: int = 1


class Ledger:
    """The entries, the lasting ones first. ``now`` is Unix time in seconds everywhere."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Newest first, those that last before those that were put back."""
        return tuple(
            sorted(self._entries.values(), key=lambda e: (e.healed is not None, -(e.healed or e.since)))
        )

    @property
    def lasting(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.healed is None)

    def found(self, heals: Iterable[Change], now: float) -> list[Entry]:
        """Enter what has drifted; gives back the entries that are new."""
        new: list[Entry] = []
        for change in heals:
            known = self._entries.get(change.path)
            if known and known.healed is None:
                continue
            again = known is not None and known.healed is not None and now - known.healed < QUIET
            times = known.times + 1 if known and again else 1
            entry = Entry(change.path, change.before, change.after, now, None, times)
            self._entries[change.path] = entry
            new.append(entry)
        return new

    def pause(self, path: str, now: float) -> float:
        """Seconds until it is time to put ``path`` back: none the first time, more each time in a row."""
        entry = self._entries.get(path)
        if entry is None or entry.times == 1:
            return 0.0
        if now < entry.since:  # the machine's clock was set back: how long it has been is not known
            return 0.0
        wait = min(_FIRST_PAUSE * 2.0 ** (entry.times - 2), _LONGEST_PAUSE)
        return max(0.0, entry.since + wait - now)

    def fight(self, paths: Iterable[str]) -> str:
        """Which of ``paths`` was put back most often in vain, in one line."""
        worst = max((self._entries[path] for path in paths), key=lambda entry: entry.times)
        times = "once" if worst.times == 2 else f"{worst.times - 1} times"
        return f"{visible(worst.path)} was put back {times} and changed again: another program sets it too"

    def forget(self, ignored: Callable[[str], bool]) -> None:
        """Strike out what lasts but is no longer looked at."""
        for entry in self.lasting:
            if ignored(entry.path):
                del self._entries[entry.path]

    def settled(self, paths_still_drifted: Iterable[str], now: float) -> list[Entry]:
        """Close the entries of everything else; gives back those that were closed."""
        still = set(paths_still_drifted)
        closed = [
            replace(entry, healed=now)
            for path, entry in self._entries.items()
            if entry.healed is None and path not in still
        ]
        self._entries.update((entry.path, entry) for entry in closed)
        for entry in [entry for entry in self.entries if entry.healed is not None][KEPT:]:
            del self._entries[entry.path]
        return closed
